import { describe, expect, test } from "vitest"
import { openIdbStorage } from "../../../client/thread/idb-storage.ts"
import { describeStorage } from "../../contract/storage.ts"

describeStorage("indexeddb", () => openIdbStorage(crypto.randomUUID()))

describe("indexeddb", () => {
  test("[DISK7] a refused value is an error of the transaction, and nothing is written", async () => {
    const storage = await openIdbStorage(crypto.randomUUID())
    const failing = storage.write("relaxed", (tx) => {
      tx.put("meta", { name: "fine" })
      tx.put("meta", { noName: true })
    })
    await expect(failing).rejects.toThrow()
    expect(await storage.read((tx) => tx.getAll("meta", {}))).toEqual([])
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
