import type { Millis } from "../../shared/ids.ts"
import type { Place } from "../../shared/offset.ts"
import { type SqlRow, type SqlValue, type StreamHost, textIn, wholeIn } from "../stream/stream-host.ts"
import { placeIn } from "../stream/stream-record.ts"
import type { Segment } from "./segment.ts"

/*
 * Which segments a stream has, in its SQLite. The tables are made when the first segment is.
 *
 *   segments   key first   batches that were sealed, from position `first` to `next`; `bytes_to` as in `batches`, `at`
 *                          the time of the last of them
 *   garbage    key prefix  objects of R2 that nothing refers to any more, by the beginning of their keys
 *
 * After every transaction: segments follow each other without gap from the stream's earliest place on, and the first
 * of its batches begins where the last segment ends.
 */
const TABLES = [
  `CREATE TABLE IF NOT EXISTS segments (
    first INTEGER PRIMARY KEY, first_chain TEXT NOT NULL, next INTEGER NOT NULL, chain TEXT NOT NULL,
    bytes INTEGER NOT NULL, bytes_to INTEGER NOT NULL, at INTEGER NOT NULL, key TEXT NOT NULL, sha256 TEXT NOT NULL
  )`,
  "CREATE TABLE IF NOT EXISTS garbage (prefix TEXT PRIMARY KEY) WITHOUT ROWID",
]

export type SegmentRow = Segment & { readonly bytesTo: number; readonly at: Millis }

/** Finds and writes the index of a stream's segments. Its caller holds the transaction. */
export class SegmentIndex {
  readonly #host: Pick<StreamHost, "exec">
  #hasTables = false

  constructor(host: Pick<StreamHost, "exec">) {
    this.#host = host
  }

  /** Makes the tables, if there are none. */
  prepare(): void {
    if (!this.#hasSegments()) this.#makeTables()
  }

  add({ key, from, next, bytes, bytesTo, at, sha256 }: SegmentRow): void {
    const places = [from.position, from.chain, next.position, next.chain]
    this.#all(
      `INSERT INTO segments (first, first_chain, next, chain, bytes, bytes_to, at, key, sha256)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...places,
      bytes,
      bytesTo,
      at,
      key,
      sha256,
    )
  }

  /** The segment that holds the message at this position. */
  holding(position: number): SegmentRow | undefined {
    const [row] = this.#query("WHERE first <= ? AND next > ?", position, position)
    return row
  }

  /** The place where a segment ends, if one ends at this position. */
  endingAt(position: number): Place | undefined {
    const [row] = this.#query("WHERE first < ? ORDER BY first DESC LIMIT 1", position)
    return row?.next.position === position ? row.next : undefined
  }

  /** In order of position. */
  all(): readonly SegmentRow[] {
    return this.#query("ORDER BY first")
  }

  oldest(): SegmentRow | undefined {
    const [row] = this.#query("ORDER BY first LIMIT 1")
    return row
  }

  /** Forgets a segment; its object is garbage from now on. */
  drop({ from, key }: Segment): void {
    this.#all("DELETE FROM segments WHERE first = ?", from.position)
    this.discard(key)
  }

  /** Forgets all segments of a stream that is no more. Everything below the prefix is garbage from now on. */
  dropAll(prefix: string): void {
    if (!this.#hasSegments()) return
    this.#all("DROP TABLE segments")
    this.#makeTables()
    this.discard(prefix)
  }

  discard(prefix: string): void {
    this.#all("INSERT OR IGNORE INTO garbage (prefix) VALUES (?)", prefix)
  }

  /** Beginnings of keys whose objects are to be deleted. */
  garbage(): readonly string[] {
    if (!this.#hasSegments()) return []
    return this.#all("SELECT prefix FROM garbage").map(({ prefix }) => textIn(prefix))
  }

  collected(prefix: string): void {
    this.#all("DELETE FROM garbage WHERE prefix = ?", prefix)
  }

  #query(rest: string, ...values: SqlValue[]): SegmentRow[] {
    if (!this.#hasSegments()) return []
    return this.#all(`SELECT * FROM segments ${rest}`, ...values).map(rowOf)
  }

  #makeTables(): void {
    for (const table of TABLES) this.#all(table)
    this.#hasTables = true
  }

  #hasSegments(): boolean {
    this.#hasTables ||= this.#all("SELECT 1 FROM sqlite_master WHERE name = 'segments'").length > 0
    return this.#hasTables
  }

  #all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return [...this.#host.exec(sql, ...values)]
  }
}

function rowOf(row: SqlRow): SegmentRow {
  return {
    key: textIn(row.key),
    from: placeIn(row.first, row.first_chain),
    next: placeIn(row.next, row.chain),
    bytes: wholeIn(row.bytes),
    bytesTo: wholeIn(row.bytes_to),
    at: wholeIn(row.at) as Millis, // was one when it was stored
    sha256: textIn(row.sha256),
  }
}
