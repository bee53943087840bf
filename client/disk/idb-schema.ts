import type { IDBPDatabase, IDBPTransaction } from "idb"
import { CLEARED } from "./storage.ts"

/**
 * 1: outbox, pages, streams, meta. 2: rejected and cursors; a stream's record says which producer it counts for.
 * 3: pages may be absent, which readers of before would take for empty.
 */
export const SCHEMA_VERSION = 3

/** Keys of one database that no earlier one of this name has given: more than anybody appends in a millisecond. */
const KEYS_PER_MS = 1_000

type Upgrade = IDBPTransaction<unknown, string[], "versionchange">

/** What names the making of one database: another of the same name is made when it was deleted. */
export type Making = { readonly id: string; readonly now: number }

/** Brings a database from any older version to this one: whole or not at all, since it is one transaction. */
export function upgrade(db: IDBPDatabase, from: number, tx: Upgrade, making: Making): void {
  tx.done.catch(() => {}) // opening fails then, and says so
  try {
    change(db, from, tx, making)
  } catch {
    tx.abort() // it is not the older version that it says it is
  }
}

function change(db: IDBPDatabase, from: number, tx: Upgrade, { id, now }: Making): void {
  if (from < 1) {
    beginKeys(db, now * KEYS_PER_MS)
    db.createObjectStore("pages", { keyPath: ["stream", "next"] })
    db.createObjectStore("streams", { keyPath: "stream" })
    db.createObjectStore("meta", { keyPath: "name" })
  }
  if (from < 2) {
    db.createObjectStore("rejected", { keyPath: "key" })
    db.createObjectStore("cursors", { keyPath: ["stream", "name"] })
    void tx.objectStore("meta").put({ name: "made", id })
  }
  if (from === 1) addProducers(tx).catch(() => tx.abort()) // then opening fails, and nothing has changed
}

/** Which making of its name a database is, and whether somebody has begun to clear it. */
export type Signs = { readonly made: unknown; readonly isCondemned: boolean }

export async function signsOf(db: IDBPDatabase): Promise<Signs> {
  const { store } = db.transaction("meta")
  const [made, cleared] = await Promise.all([store.get("made"), store.get(CLEARED)])
  return { made: made?.id, isCondemned: cleared !== undefined }
}

/** A database that follows a deleted one gives greater keys, so that no two entries of one tab have the same. */
function beginKeys(db: IDBPDatabase, key: number): void {
  const outbox = db.createObjectStore("outbox", { keyPath: "key", autoIncrement: true })
  if (key === 0) return
  void outbox.add({ key })
  void outbox.delete(key)
}

/** Version 1 had one producer for all streams, and an epoch rose only where the edge had said so. */
async function addProducers(tx: Upgrade): Promise<void> {
  const [streams, meta] = [tx.objectStore("streams"), tx.objectStore("meta")]
  const [device, records] = await Promise.all([meta.get("device"), streams.getAll()])
  if (device === undefined) return // then nothing was produced
  for (const record of records) {
    void streams.put({ ...record, producer: device.id, knownEpoch: record.epoch })
  }
}
