import { describe, expect, test } from "vitest"
import type { Clock } from "../../../client/clock.ts"
import { openIdbStorage } from "../../../client/disk/idb-storage.ts"
import { OutcomeUnknown, type Storage } from "../../../client/disk/storage.ts"
import type { Millis } from "../../../shared/ids.ts"
import { LIMITS } from "../../../shared/limits.ts"

const add = (storage: Storage, text: string) => storage.write("strict", (tx) => void tx.add({ text }))

async function texts(storage: Storage): Promise<string[]> {
  const entries = (await storage.read((tx) => tx.getAll("outbox", {}))) as { text: string }[]
  return entries.map(({ text }) => text)
}

async function opened(clock?: Clock) {
  const name = crypto.randomUUID()
  const storage = await openIdbStorage(name, clock)
  const told: string[] = []
  storage.health.onChange(({ kind }) => told.push(kind))
  return { name, storage, told }
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** Runs `act` while every connection that it uses is one that the browser has closed. */
async function withDeadHandles(act: () => Promise<void>): Promise<void> {
  const { transaction } = IDBDatabase.prototype
  const dead = new WeakSet<IDBDatabase>()
  IDBDatabase.prototype.transaction = function (...terms) {
    if (!dead.has(this)) {
      dead.add(this)
      this.close()
    }
    return transaction.apply(this, terms)
  }
  try {
    await act()
  } finally {
    IDBDatabase.prototype.transaction = transaction
  }
}

describe("the connection to a database", () => {
  test("[DISK11] what was asked of a handle that is closed is done on another, once", async () => {
    const { name, storage, told } = await opened()
    const { transaction } = IDBDatabase.prototype
    IDBDatabase.prototype.transaction = function (...terms) {
      IDBDatabase.prototype.transaction = transaction
      this.close()
      return transaction.apply(this, terms)
    }
    await add(storage, "a")
    expect(await texts(storage)).toEqual(["a"])
    expect(told).toEqual(["lost", "open"])
    expect(storage.health.state).toEqual({ kind: "open" })
    expect(name).not.toBe("")
    storage.close()
  })

  test("[DISK11] when the browser says that it has closed it, the next operation opens another", async () => {
    const { storage, told } = await opened()
    await add(storage, "a")
    const { transaction } = IDBDatabase.prototype
    let db: IDBDatabase | undefined
    IDBDatabase.prototype.transaction = function (...terms) {
      db = this
      return transaction.apply(this, terms)
    }
    await add(storage, "b")
    IDBDatabase.prototype.transaction = transaction
    db?.dispatchEvent(new Event("close"))
    expect(told).toEqual(["lost"])
    expect(await texts(storage)).toEqual(["a", "b"])
    expect(told).toEqual(["lost", "open"])
    storage.close()
  })

  test("[DISK11] a database that does nothing but close its connections is storage-unavailable", async () => {
    const { storage } = await opened()
    await withDeadHandles(async () => {
      await expect(add(storage, "a")).rejects.toMatchObject({ code: "storage-unavailable" })
      await expect(texts(storage)).rejects.toMatchObject({ code: "storage-unavailable" })
    })
    await add(storage, "b")
    expect(await texts(storage)).toEqual(["b"])
    storage.close()
  })

  test("[DISK12] a transaction that ended with its connection after it had left has an unknown outcome", async () => {
    const { storage } = await opened()
    const { commit } = IDBTransaction.prototype
    IDBTransaction.prototype.commit = function () {
      IDBTransaction.prototype.commit = commit
      this.abort() // as a storage process does that ends
    }
    const writing = add(storage, "a")
    await expect(writing).rejects.toBeInstanceOf(OutcomeUnknown)
    await expect(writing).rejects.toMatchObject({ code: "storage-unavailable" })
    await add(storage, "b")
    expect(await texts(storage)).toEqual(["b"])
    storage.close()
  })

  test("[DISK12] a transaction that never ends is given up after a while", async () => {
    const timers = new Set<{ ms: number; run: () => void }>()
    const clock: Clock = {
      now: () => 0 as Millis,
      after(ms, run) {
        const timer = { ms, run }
        timers.add(timer)
        return () => void timers.delete(timer)
      },
    }
    const { storage } = await opened(clock)
    expect(timers.size).toBe(0)
    let answer: (() => void) | undefined
    const writing = storage.write("strict", async (tx) => {
      tx.put("meta", { name: "x" })
      await new Promise<void>((resolve) => {
        answer = resolve
        const spin = () => void tx.get("meta", "x").then(spin, () => {})
        spin() // keeps it open
      })
    })
    const [timer] = timers
    expect(timer?.ms).toBe(LIMITS.transactionMsMax)
    timer?.run()
    await expect(writing).rejects.toMatchObject({ code: "storage-unavailable" })
    answer?.()
    expect(await storage.read((tx) => tx.get("meta", "x"))).toBeUndefined()
    await expect.poll(() => timers.size).toBe(0)
    storage.close()
  })

  test("[DISK13] a newer version gets the database at once, and the older one says outdated", async () => {
    const { name, storage, told } = await opened()
    const leaving = add(storage, "a")
    const newer = await done(indexedDB.open(name, 99))
    await leaving
    expect(told).toEqual(["outdated"])
    await expect(add(storage, "b")).rejects.toMatchObject({ code: "outdated" })
    await expect(texts(storage)).rejects.toMatchObject({ code: "outdated" })
    expect(await done(newer.transaction("outbox").objectStore("outbox").count())).toBe(1)
    newer.close()
    await expect(openIdbStorage(name)).rejects.toMatchObject({ code: "outdated" })
  })

  test("[DISK14] a deletion is not held up; everything is refused until the loss is known, then there is an empty one", async () => {
    const { name, storage, told } = await opened()
    let key: Promise<number> | undefined
    await storage.write("strict", (tx) => {
      key = tx.add({ text: "a" })
    })
    await done(indexedDB.deleteDatabase(name))
    await expect.poll(() => told).toEqual(["deleted"])
    await expect(texts(storage)).rejects.toMatchObject({ code: "storage-unavailable" })
    storage.health.renew()
    expect(await texts(storage)).toEqual([])
    expect(told).toEqual(["deleted", "lost", "open"])
    let next: Promise<number> | undefined
    await storage.write("strict", (tx) => {
      next = tx.add({ text: "b" })
    })
    expect(await next).toBeGreaterThan((await key) ?? Number.NaN)
    storage.close()
  })

  test("[DISK14] one that was deleted and made again while the connection was lost is known as another", async () => {
    const { name, storage, told } = await opened()
    await add(storage, "a")
    await withDeadHandles(async () => {
      await expect(texts(storage)).rejects.toMatchObject({ code: "storage-unavailable" })
    })
    await done(indexedDB.deleteDatabase(name))
    const other = await openIdbStorage(name)
    await add(other, "b")
    await expect(texts(storage)).rejects.toMatchObject({ code: "storage-unavailable" })
    expect(told.at(-1)).toBe("deleted")
    storage.health.renew()
    expect(await texts(storage)).toEqual(["b"])
    storage.close()
    other.close()
  })

  test("[DISK15] opening that is blocked is given up after a while, and lets go when it succeeds late", async () => {
    const name = crypto.randomUUID()
    const older = indexedDB.open(name, 1)
    older.onupgradeneeded = () => {
      for (const store of ["streams", "meta"]) older.result.createObjectStore(store)
    }
    const old = await done(older) // it does not listen when a newer version asks
    const timers: { ms: number; run: () => void }[] = []
    const clock: Clock = {
      now: () => 0 as Millis,
      after(ms, run) {
        timers.push({ ms, run })
        return () => {}
      },
    }
    const opening = openIdbStorage(name, clock)
    await expect.poll(() => timers.map(({ ms }) => ms)).toEqual([LIMITS.storageOpenMsMax])
    timers[0]?.run()
    await expect(opening).rejects.toMatchObject({ code: "storage-unavailable" })
    old.close()
    await done(indexedDB.deleteDatabase(name)) // nobody holds it
  })

  test("[DISK10] a database that is no older version of this one is storage-unavailable, and stays what it is", async () => {
    const name = crypto.randomUUID()
    ;(await done(indexedDB.open(name, 1))).close()
    await expect(openIdbStorage(name)).rejects.toMatchObject({ code: "storage-unavailable" })
    const other = await done(indexedDB.open(name))
    expect([other.version, other.objectStoreNames.length]).toEqual([1, 0])
    other.close()
  })
})
