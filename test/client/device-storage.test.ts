import { describe, expect, test } from "vitest"
import type { Clock } from "../../client/clock.ts"
import { Health } from "../../client/disk/storage-health.ts"
import { DeviceStorage, type StorageDesk } from "../../client/page/device-storage.ts"
import type { StorageStatus } from "../../client/status.ts"
import type { Millis } from "../../shared/ids.ts"

/** A browser that keeps storage when it is asked to, and counts what it is asked. */
function browser({ grants = true } = {}) {
  const asked = { estimate: 0, persist: 0 }
  let isKept = false
  const desk: StorageDesk = {
    estimate: async () => ({ usage: ++asked.estimate, quota: 1_000 }),
    persisted: async () => isKept,
    async persist() {
      asked.persist++
      isKept = grants
      return isKept
    },
  }
  return { desk, asked }
}

function clock() {
  const timers = new Set<() => void>()
  const time: Clock = {
    now: () => 0 as Millis,
    after(_ms, run) {
      timers.add(run)
      return () => void timers.delete(run)
    },
  }
  const ring = () => {
    for (const run of [...timers]) {
      timers.delete(run)
      run()
    }
  }
  return { time, timers, ring }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve))

describe("the storage of a device", () => {
  test("[QUOTA1] it is asked for once, when the first event waits, and the level is what the browser says", async () => {
    const { desk, asked } = browser()
    const storage = new DeviceStorage(new Health("disk"), clock().time, desk)
    await settled()
    expect([asked.persist, storage.status.level]).toEqual([0, "best-effort"])
    storage.appended()
    storage.appended()
    await settled()
    expect([asked.persist, storage.status.level]).toEqual([1, "persistent"])
  })

  test("[QUOTA1] a browser that does not keep it is best-effort, and so is one that knows no such question", async () => {
    const refusing = new DeviceStorage(new Health("disk"), clock().time, browser({ grants: false }).desk)
    const mute = new DeviceStorage(new Health("disk"), clock().time, {})
    for (const storage of [refusing, mute]) {
      storage.onChange(() => {})
      storage.appended()
      await settled()
      expect(storage.status.level).toBe("best-effort")
    }
    expect(mute.status).toMatchObject({ usageBytes: undefined, quotaBytes: undefined })
  })

  test("[QUOTA2] how much is used is looked at when somebody listens and something was appended, once in a while", async () => {
    const { desk, asked } = browser()
    const { time, timers, ring } = clock()
    const storage = new DeviceStorage(new Health("disk"), time, desk)
    storage.appended()
    await settled()
    expect([asked.estimate, timers.size]).toEqual([0, 0])
    const told: StorageStatus[] = []
    const stop = storage.onChange((status) => told.push(status))
    await settled()
    expect(told.at(-1)).toMatchObject({ usageBytes: 1, quotaBytes: 1_000 })
    for (let n = 0; n < 100; n++) storage.appended()
    await settled()
    expect(asked.estimate).toBe(1)
    ring()
    await settled()
    expect(asked.estimate).toBe(2)
    ring()
    await settled()
    expect([asked.estimate, timers.size]).toEqual([2, 0]) // nothing was appended since
    stop()
    storage.appended()
    await settled()
    expect(asked.estimate).toBe(2)
  })

  test("[QUOTA2] the state is that of the disk; without one the level is memory; a closed one tells nothing", async () => {
    const health = new Health("disk")
    const { time, timers } = clock()
    const storage = new DeviceStorage(health, time, browser().desk)
    const told: string[] = []
    storage.onChange(({ state }) => told.push(state))
    health.tell({ kind: "lost", reason: "" })
    health.tell({ kind: "open" })
    expect(told).toEqual(["lost", "open"])
    storage.close()
    await settled()
    health.tell({ kind: "outdated" })
    expect([told.length, timers.size]).toEqual([2, 0])
    expect(new DeviceStorage(undefined, time, browser().desk).status.level).toBe("memory")
  })
})
