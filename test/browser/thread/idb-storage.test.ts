import { describe, expect, test } from "vitest"
import { openIdbStorage } from "../../../client/disk/idb-storage.ts"
import { describeStorage } from "../../contract/storage.ts"

/** A database as the first release left it. */
function openFirstVersion(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1)
    request.onerror = () => reject(request.error)
    request.onsuccess = () => resolve(request.result)
    request.onupgradeneeded = () => {
      const db = request.result
      db.createObjectStore("outbox", { keyPath: "key", autoIncrement: true }).add({ stream: "s", text: "{}" })
      db.createObjectStore("pages", { keyPath: ["stream", "next"] }).add({ stream: "s", next: "1" })
      const streams = db.createObjectStore("streams", { keyPath: "stream" })
      streams.add({ stream: "s", head: "1", epoch: 3, nextSeq: 7, inFlight: { epoch: 3, seq: 6, keys: [1] } })
      streams.add({ stream: "t", head: "-1", epoch: 0, nextSeq: 0, inFlight: null })
      const meta = db.createObjectStore("meta", { keyPath: "name" })
      meta.add({ name: "device", id: "device-1" })
      meta.add({ name: "term", term: 12 })
    }
  })
}

describeStorage("indexeddb", () => openIdbStorage(crypto.randomUUID()))

describe("indexeddb", () => {
  test("[DISK7] a refused value is an error of the transaction, and nothing is written", async () => {
    const storage = await openIdbStorage(crypto.randomUUID())
    const failing = storage.write("relaxed", (tx) => {
      tx.put("streams", { stream: "fine" })
      tx.put("streams", { noStream: true })
    })
    await expect(failing).rejects.toThrow()
    expect(await storage.read((tx) => tx.getAll("streams", {}))).toEqual([])
    storage.close()
  })

  test("[DISK10] a database of version 1 has everything, and a producer for each stream", async () => {
    const name = crypto.randomUUID()
    ;(await openFirstVersion(name)).close()
    const storage = await openIdbStorage(name)
    const streams = await storage.read((tx) => tx.getAll("streams", {}))
    const inFlight = { epoch: 3, seq: 6, keys: [1] }
    expect(streams).toEqual([
      { stream: "s", head: "1", producer: "device-1", epoch: 3, knownEpoch: 3, nextSeq: 7, inFlight },
      { stream: "t", head: "-1", producer: "device-1", epoch: 0, knownEpoch: 0, nextSeq: 0, inFlight: null },
    ])
    expect(await storage.read((tx) => tx.getAll("outbox", {}))).toEqual([{ key: 1, stream: "s", text: "{}" }])
    expect(await storage.read((tx) => tx.getAll("pages", {}))).toEqual([{ stream: "s", next: "1" }])
    expect(await storage.read((tx) => tx.get("meta", "term"))).toEqual({ name: "term", term: 12 })
    expect(await storage.read((tx) => tx.getAll("rejected", {}))).toEqual([])
    storage.close()
  })

  test("[DISK7] a closed database says storage-unavailable", async () => {
    const storage = await openIdbStorage(crypto.randomUUID())
    storage.close()
    await expect(storage.read((tx) => tx.getAll("meta", {}))).rejects.toMatchObject({
      code: "storage-unavailable",
    })
    await expect(storage.write("strict", () => {})).rejects.toMatchObject({ code: "storage-unavailable" })
  })
})
