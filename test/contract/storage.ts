import { describe, expect, test } from "vitest"
import { Exists, type Storage, type WriteTransaction } from "../../client/disk/storage.ts"

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

    test("[DISK8] what is inserted is there, and its key is free again when it is deleted", async () => {
      const storage = await open()
      const page = { stream: "s", next: "1" }
      await storage.write("strict", (tx) => tx.insert("pages", page))
      await storage.write("strict", (tx) => {
        tx.delete("pages", ["s", "1"])
        tx.insert("pages", page)
      })
      expect(await nexts(storage)).toEqual(["s:1"])
      storage.close()
    })

    test("[DISK8] inserting where a record is undoes all that was committed with it, before and behind", async () => {
      const storage = await open()
      await storage.write("strict", (tx) => tx.put("meta", { name: "mark", by: "first" }))
      const failing = storage.write("strict", (tx) => {
        void tx.add({ text: "before" })
        tx.put("pages", { stream: "s", next: "1" })
        tx.insert("meta", { name: "mark", by: "second" })
        tx.put("pages", { stream: "s", next: "2" })
      })
      await expect(failing).rejects.toBeInstanceOf(Exists)
      expect(await nexts(storage)).toEqual([])
      expect(await storage.read((tx) => tx.getAll("outbox", {}))).toEqual([])
      expect(await storage.read((tx) => tx.get("meta", "mark"))).toEqual({ name: "mark", by: "first" })
      storage.close()
    })

    test("[DISK8] also when it was inserted by the transaction before, or by itself", async () => {
      const storage = await open()
      const insert = (next: string) =>
        storage.write("relaxed", (tx) => {
          tx.insert("meta", { name: "mark" })
          tx.put("pages", { stream: "s", next })
        })
      const [first, second] = await Promise.allSettled([insert("1"), insert("2")])
      expect([first.status, second.status]).toEqual(["fulfilled", "rejected"])
      const twice = storage.write("relaxed", (tx) => {
        tx.insert("pages", { stream: "s", next: "3" })
        tx.insert("pages", { stream: "s", next: "3" })
      })
      await expect(twice).rejects.toBeInstanceOf(Exists)
      expect(await nexts(storage)).toEqual(["s:1"])
      storage.close()
    })

    test("[DISK9] a read takes several requests at once, and none after an await", async () => {
      const storage = await open()
      await put(storage, { stream: "s", next: "1" })
      const both = await storage.read((tx) =>
        Promise.all([tx.get("pages", ["s", "1"]), tx.getAll("rejected", {})]),
      )
      expect(both).toEqual([{ stream: "s", next: "1" }, []])
      const late = storage.read(async (tx) => {
        await tx.get("pages", ["s", "1"])
        return tx.get("pages", ["s", "1"])
      })
      await expect(late).rejects.toThrow()
      storage.close()
    })

    test("[DISK4] each store keeps its records under the key that they carry", async () => {
      const storage = await open()
      await storage.write("relaxed", (tx) => {
        for (const key of [10, 9]) tx.put("rejected", { key })
        for (const name of ["y", "x"]) tx.put("cursors", { stream: "s", name })
        tx.put("cursors", { stream: "r", name: "z" })
        for (const stream of ["t", "s"]) tx.put("streams", { stream })
      })
      expect(await storage.read((tx) => tx.getAll("rejected", {}))).toEqual([{ key: 9 }, { key: 10 }])
      expect(await storage.read((tx) => tx.get("cursors", ["s", "x"]))).toEqual({ stream: "s", name: "x" })
      expect(await storage.read((tx) => tx.getAll("cursors", { after: ["s"] }))).toEqual([
        { stream: "s", name: "x" },
        { stream: "s", name: "y" },
      ])
      expect(await storage.read((tx) => tx.getAll("streams", {}))).toEqual([{ stream: "s" }, { stream: "t" }])
      storage.close()
    })
  })
}
