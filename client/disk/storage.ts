import { HeadwaterError } from "../../shared/errors.ts"
import type { StorageHealth } from "./storage-health.ts"

/*
 * The stores of a device's database. One database per edge and account.
 *
 *   outbox    key             events of this device that have not been read back, in the order of appending
 *   pages     [stream, next]  the edge's log as far as this device has read it, in the edge's order
 *   streams   stream          { head, producer, epoch, knownEpoch, nextSeq, inFlight }: reading and producing
 *   meta      name            { device }, { term }, { made } and the like: one of each
 *   rejected  key             entries that the edge refused for good, under the key that the outbox gave them
 *   cursors   [stream, name]  how far a consumer of the app's has got
 */
export const STORES = ["outbox", "pages", "streams", "meta", "rejected", "cursors"] as const
export type StoreName = (typeof STORES)[number]

export type StorageKey = number | string | readonly (number | string)[]

/** The name of the record in `meta` that says that everything here is to be deleted, on purpose. */
export const CLEARED = "cleared"

/** A range of keys. Records carry theirs as the table above says; the outbox's is given by the disk, and rises. */
export type KeyRange = { readonly after?: StorageKey; readonly upTo?: StorageKey; readonly only?: StorageKey }

export interface ReadTransaction {
  get(store: StoreName, key: StorageKey): Promise<unknown>
  /** In the order of keys. */
  getAll(store: StoreName, range: KeyRange, limit?: number): Promise<unknown[]>
}

/** A record was to be inserted under a key that is taken. The transaction has written nothing. */
export class Exists extends Error {}

/** Nobody knows whether a transaction was carried out: the connection ended when it had left. */
export class OutcomeUnknown extends HeadwaterError {
  constructor(cause?: unknown) {
    super("storage-unavailable", "The connection to the database was lost while it wrote.", { cause })
  }
}

/** The browser gives this page no storage at all: a private window, a setting, a sandbox. */
export class NoStorage extends HeadwaterError {
  constructor(cause?: unknown) {
    const reason = cause instanceof Error ? `: ${cause.name}: ${cause.message}` : "."
    super("storage-unavailable", `The browser gives this page no IndexedDB${reason}`, { cause })
  }
}

export interface WriteTransaction extends ReadTransaction {
  /** Adds to the outbox; the promise is of the key, which counts once the transaction is complete. */
  add(record: object): Promise<number>
  /** Puts a record whose key must be free. If it is not, the transaction fails, whatever else it does. */
  insert(store: StoreName, record: object): void
  put(store: StoreName, record: object): void
  delete(store: StoreName, key: StorageKey): void
}

/** `strict`: survives a power cut. `relaxed`: survives the end of the browser, and can be fetched again after worse. */
export type Durability = "strict" | "relaxed"

/**
 * A transactional store: IndexedDB, as narrow as the log needs it.
 *
 * Transactions take effect one after the other in the order of the calls, whole or not at all; other tabs' come in
 * between.
 *
 * `stores` are those that the transaction touches, all unless it says less. Transactions that have none in common need
 * not wait for each other.
 */
export interface Storage {
  readonly health: StorageHealth
  /**
   * `body` makes all its requests before its first await: the transaction is committed right behind them, so that none
   * stays open when this thread is frozen. It may be called twice: when the connection was lost, another one reads.
   *
   * @throws HeadwaterError `storage-unavailable` or `outdated`; or what `body` throws.
   */
  read<T>(body: (tx: ReadTransaction) => Promise<T>, stores?: readonly StoreName[]): Promise<T>
  /**
   * Resolves when the transaction is complete. When `body` gives no promise its requests and the commit have left for
   * the browser before `write` returns: then nothing that happens to this thread can stop them. Else it may await this
   * transaction's own reads, and nothing else.
   *
   * When the connection was lost before anything had left, `body` is called again for another one.
   *
   * @throws HeadwaterError `storage-full`, `storage-unavailable` or `outdated`; Exists when an `insert` found its key
   * taken; or what `body` throws. Nothing was written then. OutcomeUnknown, when nobody knows.
   */
  write<T>(
    durability: Durability,
    body: (tx: WriteTransaction) => Promise<T> | T,
    stores?: readonly StoreName[],
  ): Promise<T>
  close(): void
}
