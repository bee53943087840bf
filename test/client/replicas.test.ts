import { expect, test } from "vitest"
import { DeviceLog } from "../../client/disk/log.ts"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import type { Storage } from "../../client/disk/storage.ts"
import { appendedEntry, type PendingEntry } from "../../client/replica/pending-entry.ts"
import { Replicas } from "../../client/replica/replicas.ts"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import type { Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import { issueOffset, START } from "../../shared/offset.ts"
import { firstPosition, type OutboxKey } from "../../shared/outbox.ts"

const STREAM = "a/b" as StreamPath
const DEVICE = "device" as ProducerId
const place = (position: number) => issueOffset({ generation: 1, position, chain: EMPTY_CHAIN })
const draft = (id: string) => {
  const text = JSON.stringify({ id, type: "t" })
  return { text, count: 1, bytes: text.length }
}

/** One tab's replicas over a disk that others write to as well. */
async function tab() {
  const storage: Storage = new MemoryStorage()
  const seen = { reads: 0, confirmed: [] as PendingEntry[], restarts: 0 }
  const read = storage.read.bind(storage)
  storage.read = (body, stores) => {
    if (stores?.includes("outbox")) seen.reads++
    return read(body, stores)
  }
  const log = new DeviceLog(storage)
  const replicas = new Replicas(log, DEVICE, {
    appended() {},
    advanced: (_stream, _page, confirmed) => void seen.confirmed.push(...confirmed),
    reordered() {},
    loaded() {},
    restarted(_replica, confirmed) {
      seen.restarts++
      seen.confirmed.push(...confirmed)
    },
    wentOn: () => void seen.restarts++,
    reviewed() {},
    rekeyed() {},
    diskFailed: (_stream, reason) => expect.unreachable(String(reason)),
    isLeading: () => false,
  })
  const replica = await replicas.get(STREAM)
  /** Another tab leads, has found an entry on the disk, and has read it back from the edge. */
  const confirmElsewhere = async (text: string, key: OutboxKey) => {
    const page = { stream: STREAM, from: START, next: place(1), text }
    const record = { stream: STREAM, head: place(1), ...firstPosition(DEVICE) }
    await log.save(await log.claim(), "relaxed", { page, confirmed: [key], rejected: [], record })
  }
  return { seen, log, replicas, replica, confirmElsewhere }
}

test("[TAB7] an entry that was confirmed while its tab began anew does not wait for ever", async () => {
  const { seen, log, replicas, replica, confirmElsewhere } = await tab()
  const entry = appendedEntry(draft("mine"))
  replica.append([entry])
  const [key = 0 as OutboxKey] = await log.append(STREAM, [draft("mine")], "strict")
  await confirmElsewhere(draft("mine").text, key)
  await replicas.recovered(STREAM) // nobody has told this tab the entry's key yet
  expect(replica.pending).toEqual([entry])
  replica.stored([entry], [key])
  await replicas.settle(replica)
  expect(replica.pending).toEqual([])
  expect(seen.confirmed).toEqual([entry])
  expect(replica.doubted).toEqual([])
})

test("[TAB7] one that the disk took while its tab began anew, and that waits, goes on waiting", async () => {
  const { seen, log, replicas, replica } = await tab()
  const entry = appendedEntry(draft("mine"))
  replica.append([entry])
  await replicas.recovered(STREAM)
  const keys = await log.append(STREAM, [draft("mine")], "strict")
  replica.stored([entry], keys)
  await replicas.settle(replica)
  expect(replica.pending).toEqual([entry])
  expect(seen.confirmed).toEqual([])
})

test("[TAB1] however often other tabs tell of what they have stored, one look finds all that was there", async () => {
  const { seen, log, replicas, replica } = await tab()
  await log.append(STREAM, ["one", "two", "three"].map(draft), "strict")
  const before = seen.reads
  await Promise.all(Array.from({ length: 20 }, () => replicas.refresh(STREAM)))
  expect(replica.pending.map(({ text }) => JSON.parse(text).id)).toEqual(["one", "two", "three"])
  expect(seen.reads - before).toBe(1)
  await log.append(STREAM, [draft("four")], "strict")
  await replicas.refresh(STREAM)
  expect(replica.pending).toHaveLength(4)
})

const REFUSED = { code: "rejected", message: "The stream is closed." } as const

test("[CONFLICT3] what a leader has refused and its disk has not is pending again when it leads the next time", async () => {
  const { log, replicas, replica } = await tab()
  const keys = await log.append(STREAM, [draft("mine")], "strict")
  await replicas.refresh(STREAM)
  replica.reject(keys, REFUSED, 0 as Millis) // its lock was taken before this was written
  expect(replica.pending).toEqual([])
  await replicas.takeOver(STREAM)
  expect(replica.pending).toMatchObject([draft("mine")])
  expect(replica.rejectedEvents).toBe(0)
})

test("[CONFLICT3] what the disk has as refused stays so, whoever leads", async () => {
  const { seen, log, replicas, replica } = await tab()
  const keys = await log.append(STREAM, [draft("mine")], "strict")
  await replicas.refresh(STREAM)
  const rejected = replica.reject(keys, REFUSED, 0 as Millis)
  const { record } = replica
  await log.save(await log.claim(), "strict", { page: undefined, confirmed: [], rejected, record })
  replica.rejections.saved(rejected)
  await replicas.takeOver(STREAM)
  expect(replica.pending).toEqual([])
  expect(replica.rejectedEvents).toBe(1)
  expect(seen.restarts).toBe(0)
})
