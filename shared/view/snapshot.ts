import { bad, type Decoded, good, isRecord } from "../decoded.ts"
import type { Millis, StreamPath } from "../ids.ts"
import { type Offset, parseOffset } from "../offset.ts"
import type { SqlDatabase } from "../sql.ts"
import type { Halt, SourceStreams } from "./fold.ts"
import { type Digest, joinHashes, rowLines, type StateHash, textHash } from "./state-hash.ts"
import type { OwnedTable } from "./tables.ts"

/*
 * The rows of a view at one place of each of its streams, to be taken over by whoever has the same definition. A table
 * is a text: its lines as they are hashed, sorted and joined by a line feed. So who has checked the hash of a text has
 * checked its rows. Where the rowid is none of the columns it comes before them: it is no part of the row, but says in
 * which order SQLite visits rows, and a handler may name that of an FTS5 table.
 */

/** How a table is written down: its rows, the bytes of its text, and the hash of these bytes. */
export type SnapshotTable = { readonly rows: number; readonly bytes: number; readonly hash: string }

/** What an event or a place is that was passed over, source by source. */
export type SnapshotSkip = { readonly source: string } & (
  | { readonly event: string }
  | { readonly stream: string; readonly earliest: string }
)

/** What a snapshot is of, and what it holds. */
export type SnapshotManifest = {
  /** Equal for definitions that do the same: `viewKey`. */
  readonly key: string
  readonly streams: SourceStreams
  /** The place in each stream up to which it is folded. */
  readonly cursor: { readonly [stream: StreamPath]: Offset }
  readonly halts: readonly Halt[]
  readonly skipped: readonly SnapshotSkip[]
  readonly hash: StateHash
  readonly tables: { readonly [table: string]: SnapshotTable }
  readonly savedAt: Millis
}

/** The columns that are written down of a table, in their order. */
export function writtenColumns(table: OwnedTable): readonly string[] {
  return hasWrittenRowid(table) ? ["rowid", ...table.columns] : table.columns
}

/** The text of a table's rows. */
export function snapshotText(database: SqlDatabase, table: OwnedTable): string {
  return rowLines(database, table.name, writtenColumns(table)).join("\n")
}

/** The lines of a text. */
export function linesOf(text: string): string[] {
  return text === "" ? [] : text.split("\n") // a line has one value at least, and a value is never empty
}

/** The hash of a table's rows, given the text of them. */
export function rowsHash(table: OwnedTable, text: string, digest: Digest): Promise<string> {
  if (!hasWrittenRowid(table)) return textHash(text, digest)
  const rows = linesOf(text).map((line) => line.slice(line.indexOf(",") + 1))
  return textHash(rows.sort().join("\n"), digest)
}

/**
 * Whether these texts are what the manifest says that they are, and come to the hash that it gives.
 *
 * @param texts By the names of the tables.
 */
export async function isTrueTo(
  manifest: SnapshotManifest,
  tables: readonly OwnedTable[],
  texts: ReadonlyMap<string, string>,
  digest: Digest,
): Promise<boolean> {
  const hashes: [string, string][] = []
  for (const table of tables) {
    const text = texts.get(table.name)
    const told = manifest.tables[table.name]
    if (text === undefined || told === undefined || (await textHash(text, digest)) !== told.hash) return false
    const hash = hasWrittenRowid(table) ? await rowsHash(table, text, digest) : told.hash
    if (hash !== manifest.hash.tables[table.name]) return false
    hashes.push([table.name, hash])
  }
  return (await joinHashes(Object.fromEntries(hashes), digest)).view === manifest.hash.view
}

/** Reads a manifest from JSON: what an edge has sent. */
export function decodeManifest(value: unknown): Decoded<SnapshotManifest> {
  if (!isRecord(value)) return bad("A snapshot is described by an object.")
  const { key, streams, cursor, halts, skipped, hash, tables, savedAt } = value
  const isWhole =
    typeof key === "string" &&
    isRecordOf(streams, isText) &&
    isRecordOf(cursor, (offset) => isText(offset) && parseOffset(offset) !== undefined) &&
    Array.isArray(halts) &&
    halts.every(isHalt) &&
    Array.isArray(skipped) &&
    skipped.every((skip) => isRecord(skip) && isText(skip.source)) &&
    isRecord(hash) &&
    isText(hash.view) &&
    isRecordOf(hash.tables, isText) &&
    isRecordOf(tables, isTable) &&
    typeof savedAt === "number"
  return isWhole
    ? good(value as SnapshotManifest) // each of its parts was looked at
    : bad("A snapshot has key, streams, cursor, halts, skipped, hash, tables and savedAt; this one has not.")
}

/** Whether the text of a table has a rowid before the columns. */
export function hasWrittenRowid({ kind, hasHiddenRowid }: OwnedTable): boolean {
  return kind === "fts5" || hasHiddenRowid
}

function isTable(value: unknown): boolean {
  if (!isRecord(value)) return false
  return Number.isSafeInteger(value.rows) && Number.isSafeInteger(value.bytes) && isText(value.hash)
}

function isHalt(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { source, stream, offset, eventId, eventType, message } = value
  return [source, stream, offset, eventId, eventType, message].every(isText)
}

function isText(value: unknown): value is string {
  return typeof value === "string"
}

function isRecordOf(value: unknown, isOne: (value: unknown) => boolean): boolean {
  return isRecord(value) && Object.values(value).every(isOne)
}
