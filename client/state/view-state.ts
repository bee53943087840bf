import { HeadwaterError } from "../../shared/errors.ts"
import { isEvent } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import { type Halt, ViewFold } from "../../shared/view/fold.ts"
import { type Catalog, readCatalog } from "../../shared/view/program.ts"
import { asObjects, type CompiledQuery, compileQuery, type QueryParameters } from "../../shared/view/query.ts"
import { type Followed, type LiveListener, LiveQueries, type Row } from "./live-queries.ts"
import { type Batch, type EventRun, PendingLayer } from "./pending-layer.ts"

/** Compiled queries kept for their next call. */
const QUERIES_MAX = 64
/**
 * Confirmed events that may stay uncommitted below pending ones before they are folded again to be committed.
 */
const SETTLED_MAX = 20_000

/**
 * Opens a view in an empty database, which is its own from now on.
 *
 * @param streams The path of each source's stream.
 * @throws HeadwaterError `invalid-view` that names the place, what was expected and what came. The database
 * is closed then.
 */
export function openViewState(
  database: SqlDatabase,
  name: string,
  view: ViewData,
  streams: { readonly [source: string]: StreamPath },
): ViewState {
  try {
    const missing = Object.keys(view).filter((source) => !Object.hasOwn(streams, source))
    if (missing.length > 0) {
      throw new HeadwaterError(
        "invalid-view",
        `View "${name}": expected a stream for ${missing.join(", ")}; got none.`,
      )
    }
    return new ViewState(database, compileView(database, name, view), streams)
  } catch (cause) {
    database.close()
    throw cause
  }
}

/*
 * The rows of one view. What is confirmed is committed; what is pending is folded in a transaction that is
 * always open above it, so every query sees both.
 *
 * Between two calls:
 *   1. the rows that a query sees are the fold of all confirmed and then all pending events, source by source;
 *   2. a ROLLBACK would leave the fold of the confirmed events but for the settled part of the layer;
 *   3. `#changed` holds every table whose rows may differ from what live queries have last seen.
 */
export class ViewState {
  readonly #database: SqlDatabase
  readonly #catalog: Catalog
  readonly #fold: ViewFold
  readonly #layer = new PendingLayer()
  #live = new LiveQueries()
  readonly #queries = new Map<string, CompiledQuery>()
  #haltsBelow: ViewFold["halts"]
  #changed = new Set<string>()
  #touchedByLayer = new Set<string>()
  /** Equal for definitions that do the same. */
  readonly key: string

  constructor(database: SqlDatabase, view: CompiledView, streams: { readonly [source: string]: StreamPath }) {
    this.#database = database
    this.#catalog = readCatalog(database)
    this.#fold = new ViewFold(database, view, streams)
    this.#haltsBelow = this.#fold.halts
    this.key = view.key
    database.exec("BEGIN")
  }

  /**
   * Folds what this device has just appended on top of everything. Live queries hear of it at the next
   * `flush`.
   */
  addPending(stream: StreamPath, messages: readonly unknown[]): void {
    this.#layer.add(stream, this.#run({ stream, messages }).events)
    this.#fold.fold(stream, messages)
    this.#noteLayer()
  }

  /**
   * Takes in what the edge has ordered since the last call, and all that is still pending after it.
   *
   * @param confirmed The messages that follow those of the last call, stream by stream.
   * @param pending Everything that waits for the edge now, in the order of appending.
   * @throws SqlFailure when SQLite has no memory left. The rows are of no use then: close this and open
   * another.
   */
  rebase(confirmed: readonly Batch[], pending: readonly Batch[]): void {
    if (!this.#keepLayer(confirmed, pending)) this.#refold(confirmed, pending)
    if (!this.#layer.isEmpty && this.#layer.isSettled) this.#commit()
  }

  /**
   * Answers a query with its rows as they are now, pending events included.
   *
   * @throws HeadwaterError `invalid-query` when it does not compile, would write, is several statements, gets
   * parameters that do not fit, or fails while it runs.
   */
  query(sql: string, parameters: QueryParameters = []): Row[] {
    const query = this.#queries.get(sql) ?? compileQuery(this.#database, this.#catalog, sql)
    this.#queries.delete(sql) // and back at the end: the first is the one not used for longest
    this.#queries.set(sql, query)
    if (this.#queries.size > QUERIES_MAX) this.#dropOldestQuery()
    return asObjects(query.columns, query.rows(parameters))
  }

  /**
   * Follows a query: its rows at once, and again after each `flush` that finds them different, when the listener is
   * done with the last ones.
   *
   * @throws HeadwaterError `invalid-query` when it cannot be followed. What fails later goes to `onError`.
   */
  live(sql: string, parameters: QueryParameters, listener: LiveListener): Followed {
    return this.#live.follow(compileQuery(this.#database, this.#catalog, sql), parameters, listener)
  }

  /** Tells live queries what has changed since the last time. To be called once per turn. */
  flush(): void {
    const changed = this.#changed
    this.#changed = new Set()
    this.#live.refresh(changed)
  }

  /** Takes the live queries of a state that this one replaces; they hear of rows that differ. */
  replace(old: ViewState): void {
    this.#live.close()
    this.#live = old.#live
    old.#live = new LiveQueries()
    this.#live.move((sql) => compileQuery(this.#database, this.#catalog, sql))
  }

  /**
   * The sources that stand still, and at which event. One that a pending event halts goes on when that event
   * is gone.
   */
  halted(): Halt[] {
    return [...this.#fold.halts.values()]
  }

  /** Frees everything. Idempotent. */
  close(): void {
    this.#live.close()
    for (const query of this.#queries.values()) query.close()
    this.#queries.clear()
    this.#fold.close()
    this.#database.close()
  }

  /** Counts the layer's events as confirmed where they stand. False when something else has to be done. */
  #keepLayer(confirmed: readonly Batch[], pending: readonly Batch[]): boolean {
    if (this.#layer.isEmpty) return false
    const runs = [confirmed, pending].map((batches) => batches.map((batch) => this.#run(batch)))
    const continuation = this.#layer.continueWith(runs[0] ?? [], runs[1] ?? [])
    if (continuation === undefined) return false
    this.#layer.settle(continuation.settled)
    if (this.#layer.settledCount > Math.max(SETTLED_MAX, this.#layer.pendingCount)) {
      this.#refold([], pending)
      return true
    }
    for (const { stream, messages } of continuation.more) this.addPending(stream, messages)
    return true
  }

  /** Drops the layer, folds and commits what is confirmed, and builds the layer anew. */
  #refold(confirmed: readonly Batch[], pending: readonly Batch[]): void {
    const settled = this.#layer.settled()
    if (!this.#layer.isEmpty) this.#dropLayer()
    for (const { stream, messages } of [...settled, ...confirmed]) this.#fold.fold(stream, messages)
    this.#noteLayer()
    this.#commit()
    for (const { stream, messages } of pending) this.addPending(stream, messages)
  }

  #dropLayer(): void {
    this.#database.exec("ROLLBACK; BEGIN")
    this.#fold.halts = this.#haltsBelow
    this.#layer.clear()
    for (const table of this.#touchedByLayer) this.#changed.add(table)
  }

  #commit(): void {
    this.#database.exec("COMMIT; BEGIN")
    this.#haltsBelow = this.#fold.halts
    this.#layer.clear()
    this.#touchedByLayer = new Set()
  }

  #noteLayer(): void {
    for (const table of this.#fold.takeTouched()) {
      this.#changed.add(table)
      this.#touchedByLayer.add(table)
    }
  }

  #run({ stream, messages }: Batch): EventRun {
    return {
      stream,
      events: messages.filter(isEvent).filter((event) => this.#fold.handles(stream, event.type)),
    }
  }

  #dropOldestQuery(): void {
    for (const [sql, query] of this.#queries) {
      query.close()
      this.#queries.delete(sql)
      return
    }
  }
}
