import { describe, expect, test } from "vitest"
import { openIdbStorage } from "../../../client/thread/idb-storage.ts"
import { describeStorage } from "../../contract/storage.ts"

describeStorage("indexeddb", () => openIdbStorage(crypto.randomUUID()))

describe("indexeddb", () => {
  test("[DISK7] a write without reads has left for the browser when the call returns", async () => {
    const name = crypto.randomUUID()
    const source = `
      const opening = indexedDB.open(${JSON.stringify(name)})
      opening.onsuccess = () => {
        postMessage("ready")
        onmessage = () => {
          const tx = opening.result.transaction(["outbox"], "readwrite", { durability: "strict" })
          tx.objectStore("outbox").add({ text: "last words" })
          tx.commit()
          postMessage("left")
        }
      }`
    ;(await openIdbStorage(name)).close()
    const thread = new Worker(URL.createObjectURL(new Blob([source])))
    const heard = (word: string) =>
      new Promise<void>((resolve) => {
        thread.onmessage = ({ data }) => data === word && resolve()
      })
    await heard("ready")
    thread.postMessage("go")
    await heard("left")
    thread.terminate()
    const storage = await openIdbStorage(name)
    expect(await storage.read((tx) => tx.getAll("outbox", {}))).toMatchObject([{ text: "last words" }])
    storage.close()
  })

  test("[DISK8] a refused value is an error of the transaction, and nothing is written", async () => {
    const storage = await openIdbStorage(crypto.randomUUID())
    const failing = storage.write("relaxed", (tx) => {
      tx.put("meta", { name: "fine" })
      tx.put("meta", { noName: true })
    })
    await expect(failing).rejects.toThrow()
    expect(await storage.read((tx) => tx.getAll("meta", {}))).toEqual([])
    storage.close()
  })

  test("[DISK8] a closed database says storage-unavailable", async () => {
    const storage = await openIdbStorage(crypto.randomUUID())
    storage.close()
    await expect(storage.read((tx) => tx.getAll("meta", {}))).rejects.toMatchObject({ code: "storage-unavailable" })
    await expect(storage.write("strict", () => {})).rejects.toMatchObject({ code: "storage-unavailable" })
  })
})
