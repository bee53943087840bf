import { openDB } from "idb"
import { expect, test } from "vitest"
import { freeSnapshots, openIdbSnapshots, snapshotsName } from "../../../client/disk/idb-snapshots.ts"
import type { Snapshot } from "../../../client/disk/snapshots.ts"
import type { StreamPath } from "../../../shared/ids.ts"
import { LIMITS } from "../../../shared/limits.ts"
import { START } from "../../../shared/offset.ts"

const A = "boards/a" as StreamPath

function snapshot(fill: number, length = 100_001): Snapshot {
  return { bytes: new Uint8Array(length).fill(fill), heads: { [A]: START }, halts: [], messages: fill }
}

test("[VIEW37] a snapshot is found as it was saved, by the next visit too, and a later one replaces it", async () => {
  const log = crypto.randomUUID()
  const first = openIdbSnapshots(log)
  await first.save("id", snapshot(1))
  await first.save("id", snapshot(2))
  first.close()
  const second = openIdbSnapshots(log)
  expect(await second.load("id")).toMatchObject(snapshot(2))
  expect(await second.place("id")).toMatchObject({ messages: 2 })
  expect(await second.load("other")).toBeUndefined()
  await second.drop("id")
  expect(await second.load("id")).toBeUndefined()
  second.close()
})

test("[VIEW37] one that the disk gives back with another byte is as none", async () => {
  const log = crypto.randomUUID()
  const snapshots = openIdbSnapshots(log)
  await snapshots.save("id", snapshot(1))
  const db = await openDB(snapshotsName(log))
  const { bytes } = snapshot(1)
  bytes[bytes.length - 1] = 0
  await db.put("images", { id: "id", bytes })
  db.close()
  expect(await snapshots.load("id")).toBeUndefined()
  snapshots.close()
})

test("[VIEW37] those that nobody has saved lately go", async () => {
  const snapshots = openIdbSnapshots(crypto.randomUUID())
  for (let at = 0; at < 20; at++) await snapshots.save(`id ${at}`, snapshot(at, 8))
  expect(await snapshots.load("id 0")).toBeUndefined()
  expect(await snapshots.load("id 19")).toMatchObject({ messages: 19 })
  snapshots.close()
})

test("[VIEW37] all of them can be given up while they are in use, and that is no error", async () => {
  const log = crypto.randomUUID()
  const snapshots = openIdbSnapshots(log)
  await snapshots.save("id", snapshot(1))
  await freeSnapshots(log)
  await snapshots.save("id", snapshot(2))
  expect(await snapshots.load("id")).toBeUndefined()
  snapshots.close()
  const next = openIdbSnapshots(log)
  expect(await next.load("id")).toBeUndefined()
  await next.save("id", snapshot(3))
  expect(await next.load("id")).toMatchObject({ messages: 3 })
  next.close()
})

test("[VIEW37] a tab that holds them up is not waited for", async () => {
  const log = crypto.randomUUID()
  const db = await openDB(snapshotsName(log), 2) // as a later version of the app
  const snapshots = openIdbSnapshots(log, {
    now: () => 0 as never,
    after: (ms, run) => {
      expect(ms).toBe(LIMITS.snapshotMsMax)
      const timer = setTimeout(run, 10)
      return () => clearTimeout(timer)
    },
  })
  expect(await snapshots.load("id")).toBeUndefined()
  await snapshots.save("id", snapshot(1))
  db.close()
})
