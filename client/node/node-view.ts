import { HeadwaterError } from "../../shared/errors.ts"
import { parseStreamPath } from "../../shared/ids.ts"
import { parsePathOrPattern } from "../../shared/path-pattern.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import { type ViewDefinition, viewData } from "../../shared/view/definition.ts"
import { type Halt, type SourceStreams, ViewFold } from "../../shared/view/fold.ts"
import { readCatalog } from "../../shared/view/program.ts"
import { asObjects, compileQuery, type QueryParameters } from "../../shared/view/query.ts"
import { type StateHash, stateHash } from "../../shared/view/state-hash.ts"
import { checkStreams } from "../../shared/view/streams.ts"
import type { Row } from "../row-changes.ts"
import { openNodeSqlite } from "./node-sqlite.ts"

/** A view in a script or a test: the rows that a browser and an edge have after the same events. */
export type NodeView = {
  /**
   * Folds messages of one stream behind those that were folded before. What is no event, and events of a type
   * without a handler, are skipped. An event whose statement fails halts its source for this stream.
   *
   * @throws HeadwaterError `invalid-path`.
   */
  fold(stream: string, messages: readonly unknown[]): void
  /** @throws HeadwaterError `invalid-query` as a view in the browser does. */
  query(sql: string, parameters?: QueryParameters): Row[]
  /** What the rows come to. Equal to that of every other place that has folded the same events. */
  hash(): Promise<StateHash>
  /** The sources that stand still, and at which event. */
  readonly halts: readonly Halt[]
  /** Frees everything. Idempotent. */
  close(): void
}

/**
 * Opens a view over Node's own SQLite, in memory and empty. It needs a Node that has `node:sqlite`: 22.5 or later.
 *
 * @param streams Which stream each source reads: a path, or a pattern that stands for several.
 * @throws HeadwaterError `invalid-view` or `invalid-path`.
 */
export function openNodeView(view: ViewDefinition, streams: SourceStreams): NodeView {
  for (const stream of Object.values(streams)) parsePathOrPattern(stream)
  const database = openNodeSqlite()
  try {
    const compiled = compileView(database, "view", viewData(view))
    checkStreams(compiled, streams)
    return new OpenNodeView(database, compiled, streams)
  } catch (cause) {
    database.close()
    throw cause
  }
}

class OpenNodeView implements NodeView {
  readonly #database: SqlDatabase
  readonly #view: CompiledView
  readonly #fold: ViewFold
  #isOpen = true

  constructor(database: SqlDatabase, view: CompiledView, streams: SourceStreams) {
    this.#database = database
    this.#view = view
    this.#fold = new ViewFold(database, view, streams)
  }

  get halts(): readonly Halt[] {
    return [...this.#fold.halts.values()]
  }

  fold(stream: string, messages: readonly unknown[]): void {
    this.#checkOpen()
    const batch = { stream: parseStreamPath(stream), messages }
    this.#database.atomically(() => this.#fold.fold(batch))
  }

  query(sql: string, parameters: QueryParameters = []): Row[] {
    this.#checkOpen()
    const query = compileQuery(this.#database, readCatalog(this.#database), sql)
    try {
      return asObjects(query.columns, query.rows(parameters))
    } finally {
      query.close()
    }
  }

  hash(): Promise<StateHash> {
    this.#checkOpen()
    const tables = this.#view.sources.flatMap((source) => source.tables)
    return stateHash(this.#database, tables, sha256)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    this.#fold.close()
    this.#database.close()
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new HeadwaterError("closed", "The view is closed.")
  }
}

async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>) // its memory is its own
  return new Uint8Array(digest)
}
