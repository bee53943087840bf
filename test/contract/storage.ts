import { describe, expect, test } from "vitest"
import type { Storage, WriteTransaction } from "../../client/thread/storage.ts"

/** What every `Storage` does: the browser's, and the simulator's. `open` gives a new, empty one. */
export function describeStorage(name: string, open: () => Promise<Storage>): void {
  const put = (storage: Storage, record: object) =>
    storage.write("relaxed", (tx) => {
      tx.put("pages", record)
    })
  const nexts = async (storage: Storage) => {
    const pages = (await storage.read((tx) => tx.getAll("pages", {}))) as { stream: string; next: string }[]
    return pages.map(({ stream, next }) => `${stream}:${next}`)
  }

  describe(`storage: ${name}`, () => {
    test("[DISK1] the outbox gives rising keys, which the records carry", async () => {
      const storage = await open()
      const keys: number[] = []
      for (const text of ["a", "b"]) {
        let key: Promise<number> | undefined
        await storage.write("strict", (tx) => {
          key = tx.add({ text })
        })
        keys.push((await key) ?? Number.NaN)
      }
      expect(keys[1]).toBeGreaterThan(keys[0] ?? Number.NaN)
      expect(await storage.read((tx) => tx.getAll("outbox", {}))).toEqual([
        { key: keys[0], text: "a" },
        { key: keys[1], text: "b" },
      ])
      storage.close()
    })

    test("[DISK1] a key is never given again, also after its record is gone", async () => {
      const storage = await open()
      let first: Promise<number> = Promise.resolve(0)
      await storage.write("strict", (tx) => {
        first = tx.add({})
      })
      const gone = await first
      await storage.write("strict", (tx) => tx.delete("outbox", gone))
      let second: Promise<number> = Promise.resolve(0)
      await storage.write("strict", (tx) => {
        second = tx.add({})
      })
      expect(await second).toBeGreaterThan(gone)
      storage.close()
    })

    test("[DISK2] what a transaction reads is what it writes on", async () => {
      const storage = await open()
      const increment = (tx: WriteTransaction) =>
        tx.get("meta", "term").then((found) => {
          const { term } = (found as { term: number } | undefined) ?? { term: 0 }
          tx.put("meta", { name: "term", term: term + 1 })
          return term + 1
        })
      const terms = await Promise.all([1, 2, 3, 4, 5].map(() => storage.write("strict", increment)))
      expect(terms.toSorted()).toEqual([1, 2, 3, 4, 5])
      storage.close()
    })

    test("[DISK3] a body that throws writes nothing, and its error comes back", async () => {
      const storage = await open()
      const failing = storage.write("relaxed", async (tx) => {
        tx.put("pages", { stream: "s", next: "1" })
        await tx.get("meta", "x")
        throw new Error("changed my mind")
      })
      await expect(failing).rejects.toThrow("changed my mind")
      expect(await nexts(storage)).toEqual([])
      storage.close()
    })

    test("[DISK3] also when it throws before anything is awaited", async () => {
      const storage = await open()
      const failing = storage.write("relaxed", (tx) => {
        tx.put("pages", { stream: "s", next: "1" })
        throw new Error("at once")
      })
      await expect(failing).rejects.toThrow("at once")
      expect(await nexts(storage)).toEqual([])
      storage.close()
    })

    test("[DISK4] ranges are of keys in their order: after is exclusive, upTo inclusive, limit from the start", async () => {
      const storage = await open()
      for (const [stream, next] of [
        ["b", "2"],
        ["a", "9"],
        ["b", "1"],
        ["b", "3"],
        ["c", "0"],
      ]) {
        await put(storage, { stream, next })
      }
      const read = (range: object, limit?: number) =>
        storage.read(async (tx) => {
          const pages = (await tx.getAll("pages", range, limit)) as { stream: string; next: string }[]
          return pages.map(({ stream, next }) => stream + next)
        })
      expect(await read({})).toEqual(["a9", "b1", "b2", "b3", "c0"])
      expect(await read({ after: ["b", "1"], upTo: ["b", "3"] })).toEqual(["b2", "b3"])
      expect(await read({ after: ["b", "-1"], upTo: ["b", "3"] }, 2)).toEqual(["b1", "b2"])
      expect(await read({ after: ["b", "3"] })).toEqual(["c0"])
      expect(await read({ upTo: ["b", "1"] })).toEqual(["a9", "b1"])
      storage.close()
    })

    test("[DISK5] a record is what it was when it was put, whatever becomes of the object", async () => {
      const storage = await open()
      const record = { stream: "s", next: "1", list: [1] }
      const written = put(storage, record)
      record.list.push(2)
      await written
      expect(await storage.read((tx) => tx.get("pages", ["s", "1"]))).toEqual({
        stream: "s",
        next: "1",
        list: [1],
      })
      storage.close()
    })

    test("[DISK6] transactions take effect in the order of the calls", async () => {
      const storage = await open()
      const writes = [1, 2, 3].map((n) => storage.write("relaxed", (tx) => tx.put("meta", { name: "n", n })))
      const seen = storage.read((tx) => tx.get("meta", "n"))
      expect(await seen).toEqual({ name: "n", n: 3 })
      await Promise.all(writes)
      storage.close()
    })
  })
}
