import { LIMITS } from "../../shared/limits.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import {
  hasWrittenRowid,
  rowsHash,
  type SnapshotManifest,
  type SnapshotTable,
  snapshotText,
} from "../../shared/view/snapshot.ts"
import { asciiBytes, bytesHash, type Digest, joinHashes } from "../../shared/view/state-hash.ts"
import type { OwnedTable } from "../../shared/view/tables.ts"
import type { SnapshotRecords } from "./snapshot-records.ts"

/** Where texts of rows are kept. R2 is one; a map that fails when it is told to is another. */
export interface RowStore {
  /** Resolves when the object is stored whole. Storing it again changes nothing. */
  put(key: string, object: Uint8Array<ArrayBuffer>, sha256: string): Promise<void>
  /** Of every object whose key begins so. */
  keys(prefix: string): Promise<string[]>
  delete(keys: readonly string[]): Promise<void>
  /** Deletes every object whose key begins so. */
  deleteAll(prefix: string): Promise<void>
}

/** What a snapshot says beside what its rows are. */
export type SnapshotHead = Omit<SnapshotManifest, "hash" | "tables">

export type SnapshotWriterParts = {
  readonly database: SqlDatabase
  readonly records: SnapshotRecords
  readonly store: RowStore
  /** What the keys of this generation's objects begin with. */
  readonly prefix: string
  readonly digest: Digest
}

/** What is to be written down. */
export type SnapshotDraft = {
  readonly head: SnapshotHead
  /** How many messages were folded for it. */
  readonly messages: number
  readonly tables: readonly OwnedTable[]
  /** Whether the generation has ended meanwhile: from then on nothing is read or written. */
  isOver(): boolean
}

/** What the keys begin with under which the rows of a generation are kept, by the id of its object. */
export function rowsPrefix(id: string): string {
  return `views/${id}/`
}

/** Bytes of a head as JSON: with the tables beside it, it is one row. */
const HEAD_BYTES_MAX = LIMITS.sqlValueBytesMax / 2

/**
 * Writes a view down, table by table, so that one of them is in memory at a time. The rows stay as they are until it is
 * done: its caller sees to that. A manifest is stored when all that it names is, and what no manifest names is deleted
 * after that: so a stop at any step leaves what was there true, and objects that the next snapshot deletes.
 */
export class SnapshotWriter {
  readonly #parts: SnapshotWriterParts

  constructor(parts: SnapshotWriterParts) {
    this.#parts = parts
  }

  /** Whether a manifest has room for this. */
  hasRoomFor(head: SnapshotHead): boolean {
    return new TextEncoder().encode(JSON.stringify(head)).length <= HEAD_BYTES_MAX
  }

  /** Resolves when the snapshot is stored, or the generation has ended. Rejects when the store failed. */
  async write({ head, messages, tables, isOver }: SnapshotDraft): Promise<void> {
    const { records, digest } = this.#parts
    const stored = records.named()
    const told: [string, SnapshotTable][] = []
    const hashes: [string, string][] = []
    for (const table of tables) {
      if (isOver()) return
      const one = await this.#writeTable(table, stored)
      told.push([table.name, one.told])
      hashes.push([table.name, one.hash])
    }
    const hash = await joinHashes(Object.fromEntries(hashes), digest)
    if (isOver()) return
    const manifest: SnapshotManifest = { ...head, hash, tables: Object.fromEntries(told) }
    records.save(JSON.stringify(manifest), messages, head.savedAt)
    await this.#sweep(isOver)
  }

  /** Deletes all that this generation has stored. Repeatable. */
  clear(): Promise<void> {
    return this.#parts.store.deleteAll(this.#parts.prefix)
  }

  /** @param stored The hashes of texts that are there. This adds to them. */
  async #writeTable(
    table: OwnedTable,
    stored: Set<string>,
  ): Promise<{ readonly told: SnapshotTable; readonly hash: string }> {
    const { database, store, prefix, digest } = this.#parts
    const text = snapshotText(database, table)
    const bytes = asciiBytes(text)
    const hash = await bytesHash(bytes, digest)
    if (!stored.has(hash)) await store.put(prefix + hash, bytes, hash)
    stored.add(hash)
    const told = { rows: rowsIn(bytes), bytes: bytes.length, hash }
    return { told, hash: hasWrittenRowid(table) ? await rowsHash(table, text, digest) : hash }
  }

  /** Deletes what no manifest names that is kept. */
  async #sweep(isOver: () => boolean): Promise<void> {
    const { records, store, prefix } = this.#parts
    const keys = await store.keys(prefix)
    if (isOver()) return
    const named = records.named()
    const loose = keys.filter((key) => !named.has(key.slice(prefix.length)))
    if (loose.length > 0) await store.delete(loose)
  }
}

const LINE_FEED = 0x0a

/** How many lines a text has: a line feed is between two of them. */
function rowsIn(bytes: Uint8Array): number {
  let rows = bytes.length === 0 ? 0 : 1
  for (const byte of bytes) if (byte === LINE_FEED) rows++
  return rows
}
