import { type IDBPDatabase, type IDBPTransaction, openDB } from "idb"
import { HeadwaterError } from "../../shared/errors.ts"
import { LIMITS } from "../../shared/limits.ts"
import {
  type Durability,
  type KeyRange,
  type ReadTransaction,
  STORES,
  type Storage,
  type StorageKey,
  type StoreName,
  type WriteTransaction,
} from "./storage.ts"

const SCHEMA_VERSION = 1

/**
 * Opens the database, making it when it is new.
 *
 * @throws HeadwaterError `storage-unavailable` when the browser refuses, or does not answer within
 * `LIMITS.storageOpenMsMax` because another tab holds an older version open.
 */
export async function openIdbStorage(name: string): Promise<Storage> {
  const opening = openDB(name, SCHEMA_VERSION, {
    upgrade(db) {
      db.createObjectStore("outbox", { keyPath: "key", autoIncrement: true })
      db.createObjectStore("pages", { keyPath: ["stream", "next"] })
      db.createObjectStore("streams", { keyPath: "stream" })
      db.createObjectStore("meta", { keyPath: "name" })
    },
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(), // a newer version waits for us
  })
  return new IdbStorage(await withinBound(opening))
}

async function withinBound(opening: Promise<IDBPDatabase>): Promise<IDBPDatabase> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    const bound = LIMITS.storageOpenMsMax
    const message = `IndexedDB did not open within ${bound} ms. Another tab may hold an older version.`
    timer = setTimeout(
      () => reject(new HeadwaterError("storage-unavailable", message)),
      LIMITS.storageOpenMsMax,
    )
  })
  try {
    return await Promise.race([opening, late])
  } catch (cause) {
    opening.then((db) => db.close(), ignore) // a late success must not hold the database
    throw storageError(cause)
  } finally {
    clearTimeout(timer)
  }
}

class IdbStorage implements Storage {
  readonly #db: IDBPDatabase

  constructor(db: IDBPDatabase) {
    this.#db = db
  }

  async read<T>(
    body: (tx: ReadTransaction) => Promise<T>,
    stores: readonly StoreName[] = STORES,
  ): Promise<T> {
    try {
      const tx = this.#db.transaction(stores, "readonly")
      const [result] = await Promise.all([body(new IdbTransaction(tx)), tx.done])
      return result
    } catch (cause) {
      throw storageError(cause)
    }
  }

  async write<T>(
    durability: Durability,
    body: (tx: WriteTransaction) => Promise<T> | T,
    stores: readonly StoreName[] = STORES,
  ): Promise<T> {
    let tx: Transaction
    try {
      tx = this.#db.transaction(stores, "readwrite", { durability })
    } catch (cause) {
      throw storageError(cause)
    }
    tx.done.catch(ignore) // awaited below; a body that throws first must not leave it unheard
    try {
      const running = body(new IdbTransaction(tx))
      const result = running instanceof Promise ? await running : running
      tx.commit() // leave at once: without it the browser asks this thread, which may be gone, whether more comes
      await tx.done
      return result
    } catch (cause) {
      abort(tx)
      throw storageError(await reasonOf(tx, cause))
    }
  }

  close(): void {
    this.#db.close()
  }
}

type Transaction = IDBPTransaction<unknown, string[], "readwrite" | "readonly">

class IdbTransaction implements WriteTransaction {
  readonly #tx: Transaction

  constructor(tx: IDBPTransaction<unknown, readonly string[] | string[], "readwrite" | "readonly">) {
    this.#tx = tx as Transaction // idb types a tuple of names apart from an array of them
  }

  get(store: StoreName, key: StorageKey): Promise<unknown> {
    return this.#tx.objectStore(store).get(key as IDBValidKey) // the same values; ours are readonly
  }

  getAll(store: StoreName, range: KeyRange, limit?: number): Promise<unknown[]> {
    return this.#tx.objectStore(store).getAll(idbRange(range), limit)
  }

  add(record: object): Promise<number> {
    const added = this.#writable("outbox").add(record)
    added.catch(ignore) // a failing request fails the transaction, and that is awaited
    return added as Promise<number> // the outbox gives numbers
  }

  put(store: StoreName, record: object): void {
    this.#writable(store).put(record).catch(ignore)
  }

  delete(store: StoreName, key: StorageKey): void {
    this.#writable(store)
      .delete(key as IDBValidKey)
      .catch(ignore)
  }

  #writable(store: StoreName) {
    return (this.#tx as IDBPTransaction<unknown, string[], "readwrite">).objectStore(store) // made by `write`
  }
}

function idbRange(range: KeyRange): IDBKeyRange | undefined {
  if (range.only !== undefined) return IDBKeyRange.only(range.only)
  if (range.after !== undefined && range.upTo !== undefined) {
    return IDBKeyRange.bound(range.after, range.upTo, true, false)
  }
  if (range.after !== undefined) return IDBKeyRange.lowerBound(range.after, true)
  return range.upTo === undefined ? undefined : IDBKeyRange.upperBound(range.upTo)
}

function abort(tx: Transaction): void {
  try {
    tx.abort()
  } catch {
    // It has ended already: by its own failure, which is the cause that is being reported.
  }
}

/** What ended the transaction: its own error when it has one, since a request only hears that it was aborted. */
async function reasonOf(tx: Transaction, cause: unknown): Promise<unknown> {
  if (!(cause instanceof DOMException)) return cause
  return tx.done.then(
    () => cause,
    (reason: unknown) => reason ?? cause,
  )
}

function storageError(cause: unknown): unknown {
  if (!(cause instanceof DOMException)) return cause
  if (cause.name === "QuotaExceededError") {
    return new HeadwaterError("storage-full", "The browser grants no more space. Nothing was stored.", {
      cause,
    })
  }
  return new HeadwaterError("storage-unavailable", `IndexedDB failed: ${cause.name}: ${cause.message}`, {
    cause,
  })
}

function ignore(): void {}
