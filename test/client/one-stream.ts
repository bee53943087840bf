import { expect, vi } from "vitest"
import type { RejectedEntry } from "../../client/disk/rejections.ts"
import type { Host, SocketListener } from "../../client/host.ts"
import { appendedEntry } from "../../client/replica/pending-entry.ts"
import { Replica } from "../../client/replica/replica.ts"
import { EdgeStream } from "../../client/sync/edge.ts"
import type { LogWriter } from "../../client/sync/log-writer.ts"
import { StreamSync } from "../../client/sync/sync.ts"
import { Tokens } from "../../client/sync/tokens.ts"
import { WayToEdge } from "../../client/sync/way-to-edge.ts"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import type { Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { firstPosition, type OutboxKey, type ProducerPosition } from "../../shared/outbox.ts"

export const MARK = { "headwater-edge": "1" }
const TYPE = { "content-type": "application/json" }
export const EMPTY = { ...MARK, ...TYPE, "stream-next-offset": START, "stream-up-to-date": "true" }

/** A disk that takes all. */
function takesAll(rejected: (entries: readonly RejectedEntry[]) => void): LogWriter {
  return { froze() {}, took() {}, rejected, flush: async () => {} } as unknown as LogWriter // all of one that is used
}

export function textOf(id: string): string {
  return JSON.stringify({ id, type: "t" })
}

/** The first line of a frame. */
export function headerOf(frame: string | undefined): Record<string, unknown> {
  return JSON.parse((frame ?? "{}").split("\n", 1)[0]!)
}

export type WorldParts = {
  readonly answer?: ((url: string, init: RequestInit) => Response | Promise<Response>) | undefined
  readonly position?: ProducerPosition
  readonly chance?: () => number
  readonly writer?: LogWriter
  /** What the app gives, when it is asked. */
  readonly token?: () => Promise<string>
}

/** What a client is made of here: a clock that goes when it is told, and a network that is played by the test. */
export function stage({ answer, chance = () => 0 }: WorldParts = {}) {
  const seen = {
    time: 0,
    ids: 0,
    requests: 0,
    sockets: [] as SocketListener[],
    frames: [] as string[],
    buffered: 0,
    stopped: 0,
    rejected: [] as RejectedEntry[],
  }
  const timers = new Set<{ at: number; run: () => void }>()
  const host = {
    now: () => seen.time as Millis,
    chance,
    newId: () => `fresh-${++seen.ids}`,
    after(ms: number, run: () => void) {
      const timer = { at: seen.time + Math.max(ms, 0), run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async fetch(url: string, init: RequestInit) {
      seen.requests++
      return answer?.(url, init) ?? new Response("[]", { headers: EMPTY })
    },
    openSocket(_url: string, _protocols: string[], listener: SocketListener) {
      seen.sockets.push(listener)
      const send = (frame: string) => void seen.frames.push(frame)
      return { send, buffered: () => seen.buffered, close() {} }
    },
  } as unknown as Host // what connections need of it
  const pass = (ms: number) => {
    seen.time += ms
    for (const timer of [...timers]) if (timer.at <= seen.time && timers.delete(timer)) timer.run()
  }
  return { seen, host, way: new WayToEdge(host), pass }
}

/** One stream of a client. */
export function streamOf(
  { seen, host, way }: Pick<ReturnType<typeof stage>, "seen" | "host" | "way">,
  path: string,
  { position = firstPosition("device" as ProducerId), token, ...parts }: WorldParts = {},
) {
  const writer = parts.writer ?? takesAll((entries) => void seen.rejected.push(...entries))
  const stream = path as StreamPath
  const replica = new Replica({ stream, head: START, ...position }, [], {
    appended() {},
    advanced() {},
    reordered() {},
  })
  const tokens = token === undefined ? undefined : new Tokens(host, token)
  const edge = new EdgeStream(host, "http://edge", stream, tokens, () => way.reached())
  const sync = new StreamSync(
    { host, edge, replica, writer, way },
    { changed() {}, saved() {}, unsaved() {}, stopped: () => void seen.stopped++ },
  )
  return { replica, sync }
}

/** A client of one stream, a clock that goes when it is told, and an edge that is played by the test. */
export function world(parts: WorldParts = {}) {
  const staged = stage(parts)
  const { seen, pass } = staged
  const { sync, replica } = streamOf(staged, "a/b", parts)
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
  /** A reply is to the last append, under whatever name that went. */
  const told = (frame: object) => {
    const { id } = headerOf(appends().at(-1))
    seen.sockets.at(-1)?.frame(JSON.stringify("status" in frame ? { ...frame, id } : frame))
  }
  const live = async () => {
    const before = seen.sockets.length
    await vi.waitFor(() => expect(seen.sockets.length).toBe(before + 1))
    seen.sockets.at(-1)?.opened(SUBPROTOCOL)
    told({ t: "control", next: START, upToDate: true })
    expect(sync.state.kind).toBe("live")
  }
  const appends = () => seen.frames.filter((frame) => frame.includes(`"append"`))
  return { seen, sync, replica, pass, append, told, live, appends }
}
