import { setImmediate } from "node:timers/promises"
import { expect, test, vi } from "vitest"
import { WayToEdge } from "../../client/sync/way-to-edge.ts"
import { CLOSE, SUBPROTOCOL } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import { Random } from "../simulation/random.ts"
import { EMPTY, stage, streamOf } from "./one-stream.ts"

const STREAMS = Array.from({ length: 100 }, (_, at) => `a/${at}`)
const MINUTE = 60_000

/** A client of a hundred streams whose edge is there when the test says so. */
function crowd() {
  const random = new Random(7, "crowd")
  const edge = { isUp: true }
  const answer = () => {
    if (edge.isUp) return new Response("[]", { headers: EMPTY })
    throw new TypeError("fetch failed")
  }
  const staged = stage({ answer, chance: () => random.next() })
  const { seen, pass, way } = staged
  const syncs = STREAMS.map((path) => streamOf(staged, path).sync)
  /** Sockets open when there is an edge. */
  const openSockets = (from: number) => {
    for (const socket of seen.sockets.slice(from)) {
      if (!edge.isUp) socket.closed(1006)
      else {
        socket.opened(SUBPROTOCOL)
        socket.frame(JSON.stringify({ t: "control", next: START, upToDate: true }))
      }
    }
  }
  /** Passes the time, and answers the most requests that came in one step of it. */
  const go = async (ms: number, stepMs = 100) => {
    let most = 0
    for (let passed = 0; passed < ms; passed += stepMs) {
      const [requests, sockets] = [seen.requests, seen.sockets.length]
      pass(stepMs)
      for (let turn = 0; turn < 3; turn++) await setImmediate() // what fakes answer takes no time
      openSockets(sockets)
      for (const socket of seen.sockets) if (edge.isUp) socket.frame("pong")
      most = Math.max(most, seen.requests - requests)
    }
    return most
  }
  const lose = () => {
    edge.isUp = false
    for (const socket of seen.sockets.splice(0)) socket.closed(1006)
  }
  const live = () => syncs.filter(({ state }) => state.kind === "live").length
  return { seen, way, syncs, edge, go, lose, live }
}

async function liveCrowd() {
  const made = crowd()
  for (const sync of made.syncs) sync.input({ kind: "started" })
  await made.go(1_000)
  expect(made.live()).toBe(STREAMS.length)
  return made
}

test("[CONN16] of a hundred streams without an edge one asks for all, ever less often", async () => {
  const { seen, go, lose } = await liveCrowd()
  lose()
  let before = seen.requests
  await go(MINUTE)
  expect(seen.requests - before).toBeLessThanOrEqual(30)
  before = seen.requests
  await go(10 * MINUTE)
  expect(seen.requests - before).toBeLessThanOrEqual(10 * 6)
  expect(seen.requests - before).toBeGreaterThanOrEqual(10)
})

test("[CONN16] when one has reached the edge the others follow, not all at one moment, and then nobody asks", async () => {
  const { seen, edge, go, lose, live } = await liveCrowd()
  lose()
  await go(5 * MINUTE)
  edge.isUp = true
  const most = await go(LIMITS.retryMsMax + STREAMS.length * LIMITS.wakeSpreadMs + 1_000)
  expect(live()).toBe(STREAMS.length)
  expect(most).toBeLessThan(20)
  const before = seen.requests
  await go(5 * MINUTE, 1_000)
  expect([seen.requests - before, live()]).toEqual([0, STREAMS.length])
})

test("[CONN16] streams whose sockets the edge closes at one moment do not come back at one moment", async () => {
  const { seen, go, live } = await liveCrowd()
  for (const socket of seen.sockets.splice(0)) socket.closed(CLOSE.unauthorized)
  expect(live()).toBe(0)
  const most = await go(STREAMS.length * LIMITS.wakeSpreadMs + 1_000)
  expect([live(), most < 20]).toEqual([STREAMS.length, true])
})

test("[CONN16] one that reads a long page has shown that the edge is there", async () => {
  const endless = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array([91])) })
  const staged = stage({ answer: () => new Response(endless, { headers: EMPTY }) })
  const reached = vi.spyOn(staged.way, "reached")
  const { sync } = streamOf(staged, "a/b")
  sync.input({ kind: "started" })
  await vi.waitFor(() => expect(reached).toHaveBeenCalled())
  expect(sync.state.kind).toBe("catching-up")
})

test("[CONN16] a browser that says online ends the rest, and one stream looks whether it is true", async () => {
  const { seen, way, edge, go, lose, live } = await liveCrowd()
  lose()
  await go(5 * MINUTE)
  const before = seen.requests
  way.hope()
  await go(100)
  expect(seen.requests - before).toBe(1)
  edge.isUp = true
  await go(100) // what just failed rests again
  way.hope()
  await go(STREAMS.length * LIMITS.wakeSpreadMs + 1_000)
  expect(live()).toBe(STREAMS.length)
})

test("[CONN16] one that was to try and does not, for reasons of its own, makes room for the next", () => {
  const timers = new Set<() => void>()
  const after = (_ms: number, run: () => void) => {
    timers.add(run)
    return () => void timers.delete(run)
  }
  const ring = () => {
    for (const run of [...timers]) if (timers.delete(run)) run()
  }
  const way = new WayToEdge({ now: () => 0 as Millis, chance: () => 0.5, after })
  const woken: string[] = []
  const travellers = ["a", "b", "c"].map((name) => ({ name }))
  way.notReached({})
  for (const who of travellers) {
    const stop = way.wait(who, 0 as Millis, () => {
      stop()
      woken.push(who.name)
    })
  }
  const [a, b] = travellers
  ring()
  ring()
  expect(woken).toEqual(["a"])
  way.notReached(b!) // it was on its way before
  ring()
  expect(woken).toEqual(["a"])
  way.left(a!)
  ring()
  expect(woken).toEqual(["a", "b"])
  way.notReached(b!)
  ring()
  expect(woken).toEqual(["a", "b", "c"])
  way.end()
  expect(timers.size).toBe(0)
})
