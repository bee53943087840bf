import { expect, test } from "vitest"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import { StorageWithSpareRoom } from "../../client/disk/spare-room.ts"
import { HeadwaterError } from "../../shared/errors.ts"

const FULL = new HeadwaterError("storage-full", "no room")

/** A storage whose writes fail as long as somebody holds its room. */
function crowded(isFreed: boolean) {
  const inner = new MemoryStorage()
  const write = inner.write.bind(inner)
  const seen = { isFull: true, freed: 0 }
  inner.write = async (durability, body) => {
    if (seen.isFull) throw FULL
    return write(durability, body)
  }
  const storage = new StorageWithSpareRoom(inner, async () => {
    seen.freed++
    seen.isFull = !isFreed
  })
  const add = (text: string) =>
    storage.write("strict", (tx) => tx.add({ stream: "a", text, count: 1, bytes: text.length }))
  return { storage, add, seen }
}

test("[VIEW43] a write that finds no room is made once more when snapshots have given theirs", async () => {
  const { storage, add, seen } = crowded(true)
  await add("event")
  expect(seen.freed).toBe(1)
  expect(await storage.read((tx) => tx.getAll("outbox", {}))).toMatchObject([{ text: "event" }])
})

test("[VIEW43] when that gives none, it fails as it would have", async () => {
  const { add, seen } = crowded(false)
  await expect(add("event")).rejects.toBe(FULL)
  expect(seen.freed).toBe(1)
})

test("[VIEW43] what was written since keeps its place: the earlier write fails, and does not go behind it", async () => {
  const { storage, add } = crowded(true)
  const [first, second] = [add("first"), add("second")]
  await expect(first).rejects.toBe(FULL)
  await second
  expect(await storage.read((tx) => tx.getAll("outbox", {}))).toMatchObject([{ text: "second" }])
})
