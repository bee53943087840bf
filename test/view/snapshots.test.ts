import { expect, test } from "vitest"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { issueOffset, type Offset, readIssuedOffset } from "../../shared/offset.ts"
import type { FoldCore } from "../../worker/view/fold-core.ts"
import { SnapshotRecords } from "../../worker/view/snapshot-records.ts"
import type { SnapshotWriter } from "../../worker/view/snapshot-writer.ts"
import { Snapshots } from "../../worker/view/snapshots.ts"
import { Statements } from "../../worker/view/statements.ts"

const ENOUGH = LIMITS.viewSnapshotMessagesMin
const INTERVAL = LIMITS.viewSnapshotMsInterval

const positionOf = (place: Offset) => readIssuedOffset(place)?.position ?? 0

/** A view of one stream that has folded as many messages as the test says. */
class World {
  readonly #records = new SnapshotRecords(new Statements(openNodeSqlite()))
  time = 1_800_000_000_000
  folded = 0
  phase = "live"
  size = 1_000
  hasRoom = true
  isBucketThere = true
  /** How often each stream was looked at, and how many messages there were when rows were written down. */
  looks = 0
  readonly written: number[] = []
  readonly failures: string[] = []
  /** The first message that the stream keeps, and what was asked of it. */
  earliest = 0
  readonly asked: string[] = []
  snapshots = this.#awake()

  fold(count: number): Promise<void> {
    this.folded += count
    return this.rest()
  }

  /** All is folded that was heard of. */
  async rest(): Promise<void> {
    this.snapshots.look()
    await this.snapshots.settled()
  }

  /** Everything that is not stored is gone. */
  evict(): void {
    this.snapshots = this.#awake()
  }

  #awake(): Snapshots {
    const world = this
    const before = this.folded
    const core = {
      find: () => ({ phase: world.phase, streams: { all: "a" } }),
      get taken() {
        return world.folded - before
      },
      feeds: () => {
        world.looks++
        const offset = issueOffset({ generation: 1, position: world.folded, chain: EMPTY_CHAIN })
        return [{ source: "all", stream: "a", offset, isCaughtUp: true, halt: undefined }]
      },
      view: () => ({ key: "k", sources: [] }),
      skips: () => [],
    }
    const writer = {
      hasRoomFor: () => world.hasRoom,
      async write({ head, messages }: Parameters<SnapshotWriter["write"]>[0]) {
        if (!world.isBucketThere) throw new Error("The bucket does not answer.")
        world.#records.save(JSON.stringify({ ...head, tables: {} }), messages, head.savedAt)
        world.written.push(messages)
      },
    }
    return new Snapshots({
      core: core as unknown as FoldCore, // what is asked of it
      records: world.#records,
      writer: writer as unknown as SnapshotWriter, // as above
      bounds: LIMITS,
      now: () => world.time as Millis,
      isKept: async (stream, place) => {
        world.asked.push(`${stream} ${place}`)
        return positionOf(place) >= world.earliest
      },
      size: () => world.size,
      still: (work) => work(),
      failed: (error) => void world.failures.push(String(error)),
    })
  }
}

test("[EVIEW15] the first snapshot is made as soon as the view answers and has enough", async () => {
  const world = new World()
  world.phase = "building"
  await world.fold(ENOUGH - 1)
  world.phase = "live"
  await world.rest()
  expect(world.written).toEqual([])
  await world.fold(1)
  expect(world.written).toEqual([ENOUGH])
})

test("[EVIEW15] the next one is made when enough is new and a minute has passed, whichever comes last", async () => {
  const world = new World()
  await world.fold(ENOUGH)
  await world.fold(ENOUGH - 1)
  world.time += INTERVAL
  await world.rest()
  expect(world.written).toHaveLength(1)
  await world.fold(1)
  expect(world.written).toEqual([ENOUGH, 2 * ENOUGH])
  await world.fold(ENOUGH)
  world.time += INTERVAL - 1
  await world.rest()
  expect(world.written).toHaveLength(2)
  world.time += 1
  await world.rest()
  expect(world.written).toEqual([ENOUGH, 2 * ENOUGH, 3 * ENOUGH])
  world.time += INTERVAL
  await world.rest()
  expect(world.written).toHaveLength(3) // nothing is new
})

test("[EVIEW15] of many messages a tenth has to be new, also for an object that has forgotten how many it folded", async () => {
  for (const isForgetful of [false, true]) {
    const world = new World()
    await world.fold(20 * ENOUGH)
    world.time += INTERVAL
    await world.fold(2 * ENOUGH - 1)
    if (isForgetful) world.evict()
    await world.rest()
    expect(world.written).toEqual([20 * ENOUGH])
    await world.fold(1)
    expect(world.written).toEqual([20 * ENOUGH, 22 * ENOUGH])
  }
})

test("[EVIEW15] while little is new, the streams are not looked at each time that something is", async () => {
  const world = new World()
  await world.fold(1)
  const { looks } = world
  for (let n = 0; n < 100; n++) await world.fold(1)
  expect(world.looks).toBe(looks)
  world.size = LIMITS.viewSnapshotBytesMax + 1
  await world.fold(ENOUGH)
  for (let n = 0; n < 100; n++) await world.fold(1)
  expect(world.looks).toBe(looks)
})

test("[EVIEW15] what is too large is not written down, and is when it is no longer", async () => {
  const world = new World()
  world.size = LIMITS.viewSnapshotBytesMax + 1
  await world.fold(ENOUGH)
  world.size--
  world.hasRoom = false
  world.time += INTERVAL
  await world.rest()
  expect(world.written).toEqual([])
  world.hasRoom = true
  world.time += INTERVAL
  await world.rest()
  expect(world.written).toEqual([ENOUGH])
})

test("[EVIEW15] what failed is tried again, but not at once", async () => {
  const world = new World()
  world.isBucketThere = false
  await world.fold(ENOUGH)
  await world.rest()
  expect(world.failures).toEqual(["Error: The bucket does not answer."])
  world.isBucketThere = true
  world.time += LIMITS.upkeepRetryMs - 1
  await world.rest()
  expect(world.written).toEqual([])
  world.time += 1
  await world.rest()
  expect([world.written, world.failures.length]).toEqual([[ENOUGH], 1])
})

test("[EVIEW17] a generation that has ended is written down no more", async () => {
  const world = new World()
  await world.snapshots.stop()
  await world.fold(ENOUGH)
  expect(world.written).toEqual([])
})

test("[EVIEW15] where the stream does not keep what comes behind the newest, who asks for it gets one that is new", async () => {
  const world = new World()
  await world.fold(ENOUGH)
  await world.fold(10)
  expect((await world.snapshots.usable()).kind).toBe("snapshot")
  expect(world.written).toEqual([ENOUGH])
  world.earliest = ENOUGH + 5
  expect((await world.snapshots.usable()).kind).toBe("snapshot")
  expect(world.written).toEqual([ENOUGH, ENOUGH + 10])
  await world.snapshots.usable()
  world.earliest = ENOUGH + 20
  await world.snapshots.usable() // there is nothing newer to be written
  expect(world.written).toEqual([ENOUGH, ENOUGH + 10])
})

test("[EVIEW15] where there is none and the stream has no beginning any more, who asks for it gets one", async () => {
  const world = new World()
  await world.fold(3)
  expect((await world.snapshots.usable()).kind).toBe("none")
  expect(world.asked).toEqual(["a -1"])
  world.earliest = 2
  expect((await world.snapshots.usable()).kind).toBe("snapshot")
  expect(world.written).toEqual([3])
  world.isBucketThere = false
  world.earliest = 5
  await world.fold(4)
  expect((await world.snapshots.usable()).kind).toBe("snapshot")
  expect(world.failures).toHaveLength(1)
})
