import { expect, vi } from "vitest"
import { EdgeStream } from "../../client/thread/edge.ts"
import type { Host, SocketListener } from "../../client/thread/host.ts"
import type { LogWriter } from "../../client/thread/log-writer.ts"
import type { RejectedEntry } from "../../client/thread/rejections.ts"
import { appendedEntry, Replica } from "../../client/thread/replica.ts"
import { StreamSync } from "../../client/thread/sync.ts"
import type { Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { firstPosition, type OutboxKey, type ProducerPosition } from "../../shared/outbox.ts"

const stream = "a/b" as StreamPath
const EMPTY = { "content-type": "application/json", "stream-next-offset": START, "stream-up-to-date": "true" }

export function textOf(id: string): string {
  return JSON.stringify({ id, type: "t" })
}

/** The first line of a frame. */
export function headerOf(frame: string | undefined): Record<string, unknown> {
  return JSON.parse((frame ?? "{}").split("\n", 1)[0]!)
}

export type WorldParts = {
  readonly answer?: () => Response
  readonly position?: ProducerPosition
}

/** A client of one stream, a clock that goes when it is told, and an edge that is played by the test. */
export function world({ answer, position = firstPosition("device" as ProducerId) }: WorldParts = {}) {
  const seen = {
    time: 0,
    ids: 0,
    sockets: [] as SocketListener[],
    frames: [] as string[],
    stopped: 0,
    rejected: [] as RejectedEntry[],
  }
  const timers = new Set<{ at: number; run: () => void }>()
  const host = {
    now: () => seen.time as Millis,
    chance: () => 0,
    newId: () => `fresh-${++seen.ids}`,
    after(ms: number, run: () => void) {
      const timer = { at: seen.time + ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    fetch: async () => answer?.() ?? new Response("[]", { headers: EMPTY }),
    openSocket(_url: string, _protocols: string[], listener: SocketListener) {
      seen.sockets.push(listener)
      return { send: (frame: string) => void seen.frames.push(frame), close() {} }
    },
  } as unknown as Host // what one connection needs of it
  const rejected = (entries: readonly RejectedEntry[]) => void seen.rejected.push(...entries)
  const writer = { froze() {}, took() {}, rejected, flush: async () => {} } as unknown as LogWriter // it takes all
  const replica = new Replica({ stream, head: START, ...position }, [], {
    appended() {},
    advanced() {},
    reordered() {},
  })
  const edge = new EdgeStream(host, "http://edge", stream)
  const sync = new StreamSync(
    { host, edge, replica, writer },
    { changed() {}, saved() {}, unsaved() {}, stopped: () => void seen.stopped++ },
  )
  const pass = (ms: number) => {
    seen.time += ms
    for (const timer of [...timers]) if (timer.at <= seen.time && timers.delete(timer)) timer.run()
  }
  const append = (key: number, id: string, expected?: string) => {
    const text = textOf(id)
    const made = appendedEntry({
      text,
      count: 1,
      bytes: text.length,
      expected: expected as Offset | undefined,
    })
    replica.append([made])
    replica.stored([made], [key as OutboxKey])
    sync.appended()
  }
  const told = (frame: object) => seen.sockets.at(-1)?.frame(JSON.stringify(frame))
  const live = async () => {
    const before = seen.sockets.length
    await vi.waitFor(() => expect(seen.sockets.length).toBe(before + 1))
    seen.sockets.at(-1)?.opened()
    told({ t: "control", next: START, upToDate: true })
    expect(sync.state.kind).toBe("live")
  }
  const appends = () => seen.frames.filter((frame) => frame.includes(`"append"`))
  return { seen, sync, replica, pass, append, told, live, appends }
}
