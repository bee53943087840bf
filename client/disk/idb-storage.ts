import type { IDBPTransaction } from "idb"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import { browserClock, type Clock } from "../clock.ts"
import { commit, noteFailure, type Transaction } from "./idb-commit.ts"
import { type Handle, IdbConnection, isNamed } from "./idb-connection.ts"
import {
  type Durability,
  Exists,
  type KeyRange,
  OutcomeUnknown,
  type ReadTransaction,
  STORES,
  type Storage,
  type StorageKey,
  type StoreName,
  type WriteTransaction,
} from "./storage.ts"
import type { StorageHealth } from "./storage-health.ts"

/**
 * Opens the database, making it when it is new.
 *
 * @throws HeadwaterError `storage-unavailable` when the browser refuses, or does not answer within
 * `storageOpenMsMax` because another tab holds an older version open; NoStorage when there is none at all;
 * `outdated` when it was made by a newer version of the app.
 */
export async function openIdbStorage(name: string, clock: Clock = browserClock): Promise<Storage> {
  const connection = new IdbConnection(name, clock)
  await connection.opened()
  return new IdbStorage(connection, clock)
}

/** How often an operation is begun anew because its connection was lost before anything of it had left. */
const TRIES_MAX = 3

class IdbStorage implements Storage {
  readonly health: StorageHealth
  readonly #connection: IdbConnection
  readonly #clock: Clock

  constructor(connection: IdbConnection, clock: Clock) {
    this.health = connection.health
    this.#connection = connection
    this.#clock = clock
  }

  read<T>(body: (tx: ReadTransaction) => Promise<T>, stores: readonly StoreName[] = STORES): Promise<T> {
    return this.#onHandle(async ({ db }) => {
      const tx = db.transaction(stores, "readonly")
      const ended = endOf(tx, this.#clock)
      ended.catch(ignore) // awaited below, unless `body` throws first
      try {
        const running = body(new IdbTransaction(tx))
        tx.commit()
        const [result] = await Promise.all([running, ended])
        return result
      } catch (cause) {
        throw isLoss(cause) ? new Lost(cause) : cause
      }
    })
  }

  write<T>(
    durability: Durability,
    body: (tx: WriteTransaction) => Promise<T> | T,
    stores: readonly StoreName[] = STORES,
  ): Promise<T> {
    return this.#onHandle(async ({ db }) => {
      const tx = db.transaction(stores, "readwrite", { durability })
      const failure = noteFailure(tx)
      const ended = endOf(tx, this.#clock)
      ended.catch(ignore) // awaited below; a body that throws first must not leave it unheard
      const requests = new IdbTransaction(tx)
      let hasLeft = false
      try {
        const running = body(requests)
        const result =
          running instanceof Promise ? await Promise.race([running, ended.then(() => running)]) : running
        commit(tx, requests.written, running instanceof Promise)
        hasLeft = true
        await ended
        return result
      } catch (cause) {
        abort(tx)
        await ended.catch(ignore)
        const reason = cause instanceof DOMException ? (failure() ?? cause) : cause
        if (!isLoss(reason)) throw reason
        throw hasLeft ? new Unknown(reason) : new Lost(reason)
      }
    })
  }

  close(): void {
    this.#connection.close()
  }

  /** With an open handle `act` runs in this turn. */
  async #onHandle<T>(act: (handle: Handle) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries++) {
      const handle = this.#connection.handle ?? (await this.#connection.opened())
      try {
        return await act(handle)
      } catch (cause) {
        const isStale = isNamed(cause, "InvalidStateError") // what a handle says of itself that was closed
        if (!(cause instanceof Lost || isStale)) throw storageError(cause)
        const reason = cause instanceof Lost ? cause.cause : cause
        this.#connection.drop(handle, reason instanceof Error ? reason.message : String(reason))
        if (cause instanceof Unknown) throw new OutcomeUnknown(reason)
        if (tries === TRIES_MAX || isNamed(reason, "TimeoutError")) throw storageError(reason)
      }
    }
  }
}

/** The connection failed, and nothing of the operation was carried out. */
class Lost extends Error {
  constructor(cause: unknown) {
    super("The connection was lost.", { cause })
  }
}

/** The connection failed, and the operation may have been carried out. */
class Unknown extends Lost {}

/** Whether it is the connection that failed, and not the transaction. */
function isLoss(cause: unknown): boolean {
  return isNamed(cause, "UnknownError", "AbortError", "TimeoutError", "InvalidStateError")
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

/**
 * Rejects with the transaction's own error, which it has when it has ended and not when a request first fails. Browsers
 * have frozen transactions: one that does not end within `transactionMsMax` is aborted, and counts as lost.
 */
function endOf(tx: Transaction, clock: Clock): Promise<void> {
  tx.done.catch(ignore) // it is too early to say why
  return new Promise((resolve, reject) => {
    const stopTimer = clock.after(COMMON_LIMITS.transactionMsMax, () => {
      abort(tx)
      reject(
        new DOMException(
          `A transaction took longer than ${COMMON_LIMITS.transactionMsMax} ms.`,
          "TimeoutError",
        ),
      )
    })
    tx.oncomplete = () => {
      stopTimer()
      resolve()
    }
    tx.onabort = () => {
      stopTimer()
      reject(tx.error ?? new DOMException("The transaction was aborted.", "AbortError"))
    }
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
