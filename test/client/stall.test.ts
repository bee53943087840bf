import { expect, test, vi } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { world as newWorld } from "./one-stream.ts"

type World = ReturnType<typeof newWorld>

/** Passes the time, as long as the connection lives, with an edge that answers pings; `each` sees every second. */
function passLive({ pass, seen, sync }: World, ms: number, each: () => void = () => {}): void {
  for (let passed = 0; passed < ms && sync.state.kind === "live"; passed += 1_000) {
    pass(1_000)
    each()
    seen.sockets.at(-1)?.frame("pong")
  }
}

/** A live client with a batch on its way. */
async function sending(chance = 0): Promise<World> {
  const world = newWorld({ chance: () => chance })
  world.sync.input({ kind: "started" })
  await world.live()
  world.append(1, "x")
  await vi.waitFor(() => expect(world.appends()).toHaveLength(1))
  return world
}

const CONFIRMS = { t: "reply", id: 0, status: 200, headers: { "stream-next-offset": "0001" }, from: "-1" }

test("[CONN15] an edge that lives and takes nothing is connected to anew, which is told until it takes something", async () => {
  const world = await sending()
  passLive(world, LIMITS.stallMsMax - 1_000)
  expect([world.sync.state.kind, world.sync.lastError]).toEqual(["live", undefined])
  passLive(world, LIMITS.stallLookMs)
  expect(world.sync.lastError).toMatchObject({ code: "stalled" })

  world.pass(0)
  await world.live()
  expect(world.sync.lastError).toMatchObject({ code: "stalled" })
  expect(world.appends()).toEqual([world.appends()[0], world.appends()[0]])
  world.told(CONFIRMS)
  expect([world.sync.lastError, world.replica.pendingEvents]).toEqual([undefined, 0])
  passLive(world, 10 * LIMITS.stallMsMax)
  expect([world.sync.state.kind, world.seen.sockets.length]).toEqual(["live", 2])
})

test("[CONN15] stalls that follow one another back off as other losses do, however long each connection lasted", async () => {
  const world = await sending(0.99)
  const waits: number[] = []
  for (let stall = 0; stall < 4; stall++) {
    passLive(world, LIMITS.stallMsMax + LIMITS.stallLookMs)
    const { state } = world.sync
    if (state.kind !== "waiting") expect.unreachable()
    const waitMs = state.retryAt - world.seen.time
    waits.push(waitMs)
    world.pass(waitMs)
    await world.live()
  }
  const bounds = [0, 1, 2, 3].map((power) => LIMITS.retryMsMin * 2 ** power)
  for (const [at, bound] of bounds.entries()) expect(waits[at]).toBeLessThanOrEqual(bound)
  expect(waits[3]).toBeGreaterThan(bounds[1]!)
})

test("[CONN15] a batch that waits as long as the edge asked is no stall, and becomes one when it waits on", async () => {
  const world = await sending()
  world.told({ t: "reply", id: 0, status: 429, headers: { "retry-after": "600" } })
  passLive(world, 599_000)
  expect(world.sync.state.kind).toBe("live")
  passLive(world, 1_000 + LIMITS.stallMsMax + LIMITS.stallLookMs)
  expect(world.appends()).toHaveLength(2)
  expect([world.sync.state.kind, world.sync.lastError?.code]).toEqual(["waiting", "stalled"])
})

test("[CONN15] an upload that crawls is no stall", async () => {
  const world = await sending()
  world.seen.buffered = 1_000_000
  passLive(world, 20 * LIMITS.stallMsMax, () => {
    world.seen.buffered -= 10
  })
  expect(world.sync.state.kind).toBe("live")
})

/** When a line that died behind an upload has just been given up. */
const FOUND_S = (LIMITS.pingMsInterval + LIMITS.uploadPongMsMax) / 1_000

test("[CONN15] a line that is dead is called so, not a stall", async () => {
  const world = await sending()
  for (let second = 0; second < FOUND_S; second++) world.pass(1_000)
  expect([world.sync.state.kind, world.sync.lastError?.code]).toEqual(["waiting", "unreachable"])
})
