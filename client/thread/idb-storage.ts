import { type IDBPDatabase, type IDBPTransaction, openDB } from "idb"
import { HeadwaterError } from "../../shared/errors.ts"
import { LIMITS } from "../../shared/limits.ts"
import { commit, noteFailure, type Transaction } from "./idb-commit.ts"
import {
  type Durability,
  Exists,
  type KeyRange,
  type ReadTransaction,
  STORES,
  type Storage,
  type StorageKey,
  type StoreName,
  type WriteTransaction,
} from "./storage.ts"

/** 1: outbox, pages, streams, meta. 2: rejected and cursors; a stream's record says which producer it counts for. */
const SCHEMA_VERSION = 2

/**
 * Opens the database, making it when it is new.
 *
 * @throws HeadwaterError `storage-unavailable` when the browser refuses, or does not answer within
 * `LIMITS.storageOpenMsMax` because another tab holds an older version open.
 */
export async function openIdbStorage(name: string): Promise<Storage> {
  const opening = openDB(name, SCHEMA_VERSION, {
    upgrade: (db, from, _to, tx) => upgrade(db, from, tx),
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(), // a newer version waits for us
  })
  return new IdbStorage(await withinBound(opening))
}

/** Brings a database from any older version to this one: whole or not at all, since it is one transaction. */
function upgrade(
  db: IDBPDatabase,
  from: number,
  tx: IDBPTransaction<unknown, string[], "versionchange">,
): void {
  if (from < 1) {
    db.createObjectStore("outbox", { keyPath: "key", autoIncrement: true })
    db.createObjectStore("pages", { keyPath: ["stream", "next"] })
    db.createObjectStore("streams", { keyPath: "stream" })
    db.createObjectStore("meta", { keyPath: "name" })
  }
  if (from < 2) {
    db.createObjectStore("rejected", { keyPath: "key" })
    db.createObjectStore("cursors", { keyPath: ["stream", "name"] })
  }
  if (from === 1) addProducers(tx).catch(() => tx.abort()) // then opening fails, and nothing has changed
}

/** Version 1 had one producer for all streams, and an epoch rose only where the edge had said so. */
async function addProducers(tx: IDBPTransaction<unknown, string[], "versionchange">): Promise<void> {
  const [streams, meta] = [tx.objectStore("streams"), tx.objectStore("meta")]
  const [device, records] = await Promise.all([meta.get("device"), streams.getAll()])
  if (device === undefined) return // then nothing was produced
  for (const record of records) {
    void streams.put({ ...record, producer: device.id, knownEpoch: record.epoch })
  }
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
      const running = body(new IdbTransaction(tx))
      tx.commit()
      const [result] = await Promise.all([running, endOf(tx)])
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
    const failure = noteFailure(tx)
    const ended = endOf(tx)
    ended.catch(ignore) // awaited below; a body that throws first must not leave it unheard
    const requests = new IdbTransaction(tx)
    try {
      const running = body(requests)
      const result = running instanceof Promise ? await running : running
      commit(tx, requests.written, running instanceof Promise)
      await ended
      return result
    } catch (cause) {
      abort(tx)
      await ended.catch(ignore)
      throw storageError(cause instanceof DOMException ? (failure() ?? cause) : cause)
    }
  }

  close(): void {
    this.#db.close()
  }
}

class IdbTransaction implements WriteTransaction {
  readonly #tx: Transaction
  /** How many requests to write were made. */
  written = 0

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

  insert(store: StoreName, record: object): void {
    this.#writable(store).add(record).catch(ignore)
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
    this.written++
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

/** Rejects with the transaction's own error, which it has when it has ended and not when a request first fails. */
function endOf(tx: Transaction): Promise<void> {
  tx.done.catch(ignore) // it is too early to say why
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => resolve()
    tx.onabort = () => reject(tx.error ?? new DOMException("The transaction was aborted.", "AbortError"))
  })
}

function storageError(cause: unknown): unknown {
  if (!(cause instanceof DOMException)) return cause
  if (cause.name === "ConstraintError") return new Exists(cause.message, { cause })
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
