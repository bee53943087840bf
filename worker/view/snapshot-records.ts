import type { SnapshotManifest } from "../../shared/view/snapshot.ts"
import { type Statements, textAt, wholeAt } from "./statements.ts"

/*
 *   headwater_snapshots   key id   the newest snapshots of the generation: the manifest as JSON, how many messages were
 *                                  folded for it, and when it was saved. The rows are in R2, by the hashes of the
 *                                  manifest
 */
const TABLE = `CREATE TABLE headwater_snapshots (
  id INTEGER PRIMARY KEY, manifest TEXT NOT NULL, messages INTEGER NOT NULL, saved_at INTEGER NOT NULL
)`

/** The newest one, and the one before for whoever is reading it. */
const KEPT = 2

/** Which snapshots of a generation there are. */
export class SnapshotRecords {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** What the newest one came to. Undefined when there is none. */
  last(): { readonly messages: number; readonly savedAt: number } | undefined {
    if (!this.#hasTable) return undefined
    const [row] = this.#statements.all(
      "SELECT messages, saved_at FROM headwater_snapshots ORDER BY id DESC LIMIT 1",
    )
    return row && { messages: wholeAt(row, 0), savedAt: wholeAt(row, 1) }
  }

  /** Those that are kept, newest first, as JSON. */
  manifests(): string[] {
    if (!this.#hasTable) return []
    return this.#statements
      .all("SELECT manifest FROM headwater_snapshots ORDER BY id DESC")
      .map((row) => textAt(row, 0))
  }

  /** The hashes of all texts that they name. */
  named(): Set<string> {
    const all = this.manifests().map((json) => JSON.parse(json) as SnapshotManifest) // each was one when it was stored
    return new Set(all.flatMap(({ tables }) => Object.values(tables).map(({ hash }) => hash)))
  }

  /** Keeps one more, and lets go of those that are too old by that. */
  save(manifest: string, messages: number, savedAt: number): void {
    this.#statements.database.atomically(() => {
      if (!this.#hasTable) this.#statements.database.exec(TABLE)
      this.#statements.run(
        "INSERT INTO headwater_snapshots (manifest, messages, saved_at) VALUES (?, ?, ?)",
        manifest,
        messages,
        savedAt,
      )
      this.#statements.run(
        `DELETE FROM headwater_snapshots
         WHERE id NOT IN (SELECT id FROM headwater_snapshots ORDER BY id DESC LIMIT ?)`,
        KEPT,
      )
    })
  }

  get #hasTable(): boolean {
    return this.#statements.hasTable("headwater_snapshots")
  }
}
