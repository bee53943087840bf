/*
 * The four stores of a device's database. One database per edge and account.
 *
 *   outbox    key             events of this device that have not been read back, in the order of appending
 *   pages     [stream, next]  the edge's log as far as this device has read it, in the edge's order
 *   streams   stream          { head, epoch, nextSeq, inFlight }: where reading and producing stand
 *   meta      name            { device } and { term }
 */
export const STORES = ["outbox", "pages", "streams", "meta"] as const
export type StoreName = (typeof STORES)[number]

export type StorageKey = number | string | readonly (number | string)[]

/** Records carry their key: the outbox in `key` (given by the disk, rising), the others as the table above says. */
export type KeyRange = { readonly after?: StorageKey; readonly upTo?: StorageKey; readonly only?: StorageKey }

export interface ReadTransaction {
  get(store: StoreName, key: StorageKey): Promise<unknown>
  /** In the order of keys. */
  getAll(store: StoreName, range: KeyRange, limit?: number): Promise<unknown[]>
}

export interface WriteTransaction extends ReadTransaction {
  /** Adds to the outbox; the promise is of the key, which counts once the transaction is complete. */
  add(record: object): Promise<number>
  put(store: StoreName, record: object): void
  delete(store: StoreName, key: StorageKey): void
}

/** `strict`: survives a power cut. `relaxed`: survives the end of the browser, and can be fetched again after worse. */
export type Durability = "strict" | "relaxed"

/**
 * A transactional store: IndexedDB, as narrow as the log needs it.
 *
 * Transactions take effect one after the other in the order of the calls, whole or not at all; other tabs' come in
 * between. What `body` awaits may only be this transaction's own reads.
 *
 * `stores` are those that the transaction touches, all unless it says less. Transactions that have none in common need
 * not wait for each other.
 */
export interface Storage {
  read<T>(body: (tx: ReadTransaction) => Promise<T>, stores?: readonly StoreName[]): Promise<T>
  /**
   * Resolves when the transaction is complete. When `body` gives no promise its requests and the commit have left for
   * the browser before `write` returns: then nothing that happens to this thread can stop them.
   *
   * @throws HeadwaterError `storage-full` or `storage-unavailable`, when nothing was written; or what `body` throws,
   * and then too nothing was written.
   */
  write<T>(
    durability: Durability,
    body: (tx: WriteTransaction) => Promise<T> | T,
    stores?: readonly StoreName[],
  ): Promise<T>
  close(): void
}
