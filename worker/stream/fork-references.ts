import type { ForkId } from "./fork-record.ts"
import { type StreamHost, textIn } from "./stream-host.ts"

/*
 * The forks of a stream, in its table `forks`: one row for each that reads through it or may be about to. A row goes
 * when the fork says that it is over, or when it is asked and does not know of it.
 */

type Storage = Pick<StreamHost, "exec">

export type ForkReference = { readonly id: ForkId; readonly path: string }

export const REFERENCES_TABLE = "CREATE TABLE forks (id TEXT PRIMARY KEY, path TEXT NOT NULL) WITHOUT ROWID"

export function addReference(storage: Storage, { id, path }: ForkReference): void {
  void [...storage.exec("INSERT INTO forks (id, path) VALUES (?, ?)", id, path)] // a host may wait until it is read
}

/** Repeatable. */
export function dropReference(storage: Storage, id: ForkId): void {
  void [...storage.exec("DELETE FROM forks WHERE id = ?", id)] // a host may wait until it is read
}

/** The first references, at most so many. */
export function referencesIn(storage: Storage, countMax: number): readonly ForkReference[] {
  const rows = [...storage.exec("SELECT id, path FROM forks ORDER BY id LIMIT ?", countMax)]
  return rows.map((row) => ({ id: textIn(row.id) as ForkId, path: textIn(row.path) })) // was one when it was stored
}
