import { describe, expect, test } from "vitest"
import type { Storage } from "../../client/disk/storage.ts"
import { describeStorage } from "../contract/storage.ts"
import { Disk, SteadyOwner } from "./disk.ts"
import { DiskStorage } from "./disk-storage.ts"
import { Random } from "./random.ts"
import { Scheduler } from "./scheduler.ts"
import { Trace } from "./trace.ts"

const MINUTE_MS = 60_000

/** A disk whose time goes on whenever something is asked of it. */
function freshDisk() {
  const trace = new Trace()
  const scheduler = new Scheduler(new Random(1, "schedule"), trace)
  const disk = new Disk("disk", { scheduler, random: new Random(1, "disk"), trace }, () => {})
  const opened = (owner = new SteadyOwner("tab")): Storage => {
    const storage = new DiskStorage(disk, owner)
    const ticking = <T>(work: Promise<T>): Promise<T> => {
      void scheduler.run(scheduler.now + MINUTE_MS)
      return work
    }
    return {
      health: storage.health,
      read: (body) => ticking(storage.read(body)),
      write: (durability, body) => ticking(storage.write(durability, body)),
      close: () => storage.close(),
    }
  }
  return { disk, opened }
}

describeStorage("simulated", async () => freshDisk().opened())

function texts(entries: readonly unknown[]): unknown[] {
  return entries.map((entry) => (entry as { text: string }).text)
}

describe("a simulated disk", () => {
  test("[SIM4] what was committed when its tab died completes, and what still asked is undone", async () => {
    const { disk, opened } = freshDisk()
    const tab = new SteadyOwner("tab")
    const storage = opened(tab)
    void storage.write("relaxed", (tx) => void tx.add({ text: "sent" }))
    void storage.write("relaxed", async (tx) => {
      await tx.get("meta", "device")
      void tx.add({ text: "asking" })
    })
    tab.isAlive = false
    disk.abandon(tab)
    expect(texts(await opened().read((tx) => tx.getAll("outbox", {})))).toEqual(["sent"])
  })

  test("[SIM5] a power cut leaves all up to the last strict transaction, and of the rest a beginning", async () => {
    const { disk, opened } = freshDisk()
    const storage = opened()
    for (const text of ["a", "b"]) await storage.write("relaxed", (tx) => void tx.add({ text }))
    await storage.write("strict", (tx) => void tx.add({ text: "c" }))
    for (const text of ["d", "e"]) await storage.write("relaxed", (tx) => void tx.add({ text }))
    disk.cutPower()
    const left = texts(await storage.read((tx) => tx.getAll("outbox", {})))
    expect(["a", "b", "c", "d", "e"].slice(0, left.length)).toEqual(left)
    expect(left.length).toBeGreaterThanOrEqual(3)
  })
})
