import { expect, test } from "vitest"
import type { SocketListener } from "../../client/host.ts"
import { LiveSocket, type SocketEnd } from "../../client/sync/live-socket.ts"
import { type AppendReply, CLOSE, SUBPROTOCOL } from "../../shared/frames.ts"
import type { ProducerId } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { headerOf } from "./one-stream.ts"

const CONTROL = JSON.stringify({ t: "control", next: START, upToDate: true })

/** A socket whose other side, and whose time, are played by the test. */
function world() {
  const seen = {
    time: 0,
    buffered: 0,
    pings: 0,
    frames: [] as string[],
    replies: [] as AppendReply[],
    ends: [] as SocketEnd[],
    upToDate: 0,
    closed: false,
  }
  const timers = new Set<{ at: number; run: () => void }>()
  let other: SocketListener | undefined
  const host = {
    after(ms: number, run: () => void) {
      const timer = { at: seen.time + ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    openSocket(_url: string, _protocols: string[], listener: SocketListener) {
      other = listener
      const close = () => {
        seen.closed = true
      }
      const send = (frame: string) => void (frame === "ping" ? seen.pings++ : seen.frames.push(frame))
      return { send, buffered: () => seen.buffered, close }
    },
  }
  const address = { url: "ws://edge", protocols: [SUBPROTOCOL] }
  const socket = new LiveSocket(host, address, {
    upToDate: () => void seen.upToDate++,
    page() {},
    reply: (reply) => void seen.replies.push(reply),
    ended: (end) => void seen.ends.push(end),
  })
  /** Passes the time in steps; `each` may do something at each of them. */
  const pass = (ms: number, each: () => void = () => {}) => {
    for (const end = seen.time + ms; seen.time < end; ) {
      seen.time += 500
      each()
      for (const timer of [...timers]) if (timer.at <= seen.time && timers.delete(timer)) timer.run()
    }
  }
  const open = (protocol = SUBPROTOCOL) => other?.opened(protocol)
  const tell = (frame: string) => other?.frame(frame)
  const live = () => {
    open()
    tell(CONTROL)
    expect(seen.upToDate).toBe(1)
  }
  const append = (epoch = 0) =>
    socket.append(
      { producer: "d" as ProducerId, epoch, seq: 0, keys: [1 as OutboxKey] },
      `{"id":"x"}`,
      undefined,
    )
  const close = (code: number) => other?.closed(code)
  return { seen, timers, pass, open, tell, live, append, close }
}

const SILENT = { kind: "failed", error: { code: "unreachable" }, unreached: true }

test("[CONN14] a socket that does not open, or opens and tells nothing but pongs, is given up", () => {
  const never = world()
  never.pass(LIMITS.requestMsMax)
  expect(never.seen.ends).toMatchObject([SILENT])

  const mute = world()
  mute.open()
  mute.pass(LIMITS.requestMsMax, () => mute.tell("pong"))
  expect(mute.seen.ends).toMatchObject([SILENT])
  expect([mute.seen.closed, mute.timers.size]).toEqual([true, 0])
})

test("[CONN12] a socket that speaks another protocol is none of an edge", () => {
  for (const protocol of ["", "other"]) {
    const { seen, open, timers } = world()
    open(protocol)
    expect(seen.ends).toMatchObject([{ kind: "failed", error: { code: "not-an-edge" }, unreached: true }])
    expect(timers.size).toBe(0)
  }
})

test("[CONN7] a silent socket is asked, and given up when it does not answer", () => {
  const { seen, pass, live, tell } = world()
  live()
  pass(LIMITS.pingMsInterval)
  expect(seen.pings).toBe(1)
  tell("pong")
  pass(LIMITS.pingMsInterval + LIMITS.pongMsMax - 1_000)
  expect([seen.pings, seen.ends]).toEqual([2, []])
  pass(1_000)
  expect(seen.ends).toMatchObject([SILENT])
})

test("[CONN14] a socket whose upload goes on lives, and one whose upload stands still is found out in 40 s", () => {
  const { seen, pass, live, append } = world()
  live()
  append()
  seen.buffered = 1_000_000
  pass(120_000, () => {
    seen.buffered -= 1_000
  })
  expect(seen.ends).toEqual([])
  pass(40_000)
  expect(seen.ends).toMatchObject([SILENT])
})

test("[OUT8] a late reply to a batch is not taken for one to the next batch, which may have the same number", () => {
  const { seen, live, append, tell } = world()
  live()
  append(1)
  append(2) // the log has told of the first one
  const [first, second] = seen.frames.map((frame) => headerOf(frame).id)
  const reply = (id: unknown) => tell(JSON.stringify({ t: "reply", id, status: 204, headers: {} }))
  reply(first)
  expect(seen.replies).toEqual([])
  reply(second)
  reply(second)
  expect(seen.replies).toMatchObject([{ id: 0, status: 204 }])
})

test("[CONN17] a socket that ends as those of closed streams do is a loss, unless a frame said that the stream is", () => {
  const silent = world()
  silent.live()
  silent.close(CLOSE.done)
  expect(silent.seen.ends).toMatchObject([{ kind: "failed", error: { code: "unreachable" } }])
  const told = world()
  told.live()
  told.tell(JSON.stringify({ t: "control", next: START, upToDate: true, closed: true }))
  expect(told.seen.ends).toEqual([{ kind: "closed" }])
})
