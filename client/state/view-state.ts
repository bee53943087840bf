import { isEvent } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import type { CompiledView } from "../../shared/view/compile.ts"
import {
  type FoldBatch,
  type Halt,
  type Halts,
  haltKey,
  type Skip,
  ViewFold,
} from "../../shared/view/fold.ts"
import { type Catalog, readCatalog } from "../../shared/view/program.ts"
import {
  asObjects,
  type CompiledQuery,
  compileQuery,
  type QueryOptions,
  type QueryParameters,
} from "../../shared/view/query.ts"
import type { LocalDatabase } from "../host.ts"
import type { Row } from "../row-changes.ts"
import type { LiveListener } from "./follower.ts"
import { AT_ONCE, type Followed, LiveQueries, type Pace } from "./live-queries.ts"
import { type EventRun, PendingLayer } from "./pending-layer.ts"

/** Compiled queries kept for their next call. */
const QUERIES_MAX = 64
/**
 * Confirmed events that may stay uncommitted below pending ones before they are folded again to be committed.
 */
const SETTLED_MAX = 20_000

/** What the edge has ordered of one stream. */
export type ConfirmedBatch = FoldBatch & {
  /** Where the log goes on behind it. */
  readonly next?: Offset
}

/** What was folded so far: the events of each stream up to a place, but for what stands still. */
export type FoldPlace = { readonly heads: ReadonlyMap<StreamPath, Offset>; readonly halts: readonly Halt[] }

export type ViewStateParts = {
  /** Has the view's tables, and is the state's own from now on. */
  readonly database: LocalDatabase
  readonly view: CompiledView
  /** The path or pattern of each source. */
  readonly streams: { readonly [source: string]: string }
  readonly skips?: readonly Skip[]
  /** What the rows in `database` are the fold of. Undefined: the tables are empty. */
  readonly place?: FoldPlace | undefined
  /** How live queries are spread over turns. Default: they are not. */
  readonly pace?: Pace | undefined
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
  readonly #database: LocalDatabase
  readonly #catalog: Catalog
  readonly #fold: ViewFold
  readonly #layer = new PendingLayer()
  readonly #pace: Pace
  readonly #compile = (sql: string): CompiledQuery => compileQuery(this.#database, this.#catalog, sql)
  #live: LiveQueries
  readonly #queries = new Map<string, CompiledQuery>()
  readonly #heads: Map<StreamPath, Offset>
  #haltsBelow: Halts
  #changed = new Set<string>()
  #touchedByLayer = new Set<string>()
  /** Equal for definitions that do the same. */
  readonly key: string
  /** The view's tables, of all sources. */
  readonly tables: readonly string[]

  constructor({ database, view, streams, skips = [], place, pace = AT_ONCE }: ViewStateParts) {
    this.#database = database
    this.#pace = pace
    this.#live = new LiveQueries(pace, this.#compile)
    this.#catalog = readCatalog(database)
    this.#fold = new ViewFold(database, view, streams, skips)
    this.#fold.halts = new Map(place?.halts.map((halt) => [haltKey(halt), halt]))
    this.#haltsBelow = this.#fold.halts
    this.#heads = new Map(place?.heads)
    this.key = view.key
    this.tables = view.sources.flatMap((source) => source.tables)
    database.exec("BEGIN")
  }

  /** How far the confirmed events of each stream are folded. */
  get heads(): ReadonlyMap<StreamPath, Offset> {
    return this.#heads
  }

  /**
   * Folds what this device has just appended on top of everything. Live queries hear of it at the next
   * `flush`.
   */
  addPending(stream: StreamPath, messages: readonly unknown[]): void {
    this.#layer.add(stream, this.#run({ stream, messages }).events)
    this.#fold.fold({ stream, messages })
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
  rebase(confirmed: readonly ConfirmedBatch[], pending: readonly FoldBatch[]): void {
    for (const { stream, next } of confirmed) if (next !== undefined) this.#heads.set(stream, next)
    if (!this.#keepLayer(confirmed, pending)) this.#refold(confirmed, pending)
    if (!this.#layer.isEmpty && this.#layer.isSettled) this.#commit()
  }

  /**
   * Answers a query with its rows as they are now, pending events included.
   *
   * @throws HeadwaterError `invalid-query` when it does not compile, would do more than read the view's tables, gets
   * parameters that do not fit, or fails while it runs; `query-timeout`; `query-too-large`.
   */
  query(sql: string, parameters: QueryParameters = [], { timeoutMs }: QueryOptions = {}): Row[] {
    const query = this.#queries.get(sql) ?? this.#compile(sql)
    this.#queries.delete(sql) // and back at the end: the first is the one not used for longest
    this.#queries.set(sql, query)
    if (this.#queries.size > QUERIES_MAX) this.#dropOldestQuery()
    return asObjects(query.columns, query.rows(parameters, timeoutMs))
  }

  /**
   * Follows a query: its rows at once, and again after a `flush` that finds them different, when the listener is done
   * with the last ones.
   *
   * @throws HeadwaterError `invalid-query` when it cannot be followed. What fails later goes to `onError`.
   */
  live(sql: string, parameters: QueryParameters, listener: LiveListener): Followed {
    return this.#live.follow(sql, parameters, listener)
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
    old.#live = new LiveQueries(old.#pace, old.#compile)
    this.#live.move(this.#compile)
  }

  /**
   * The sources that stand still, and at which event. One that a pending event halts goes on when that event
   * is gone.
   */
  halted(): Halt[] {
    return [...this.#fold.halts.values()]
  }

  /**
   * The confirmed rows as the bytes of a database, and what they are the fold of. The pending events are folded again
   * above them.
   */
  image(pending: readonly FoldBatch[]): FoldPlace & { readonly bytes: Uint8Array<ArrayBuffer> } {
    this.#refold([], [])
    const place = { heads: new Map(this.#heads), halts: this.halted() }
    const bytes = this.#database.image()
    for (const { stream, messages } of pending) this.addPending(stream, messages)
    return { ...place, bytes }
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
  #keepLayer(confirmed: readonly FoldBatch[], pending: readonly FoldBatch[]): boolean {
    const isHalted = this.#fold.halts !== this.#haltsBelow // by a pending event: confirmed, it has a place
    if (this.#layer.isEmpty || isHalted) return false
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
  #refold(confirmed: readonly FoldBatch[], pending: readonly FoldBatch[]): void {
    const settled = this.#layer.settled()
    if (!this.#layer.isEmpty) this.#dropLayer()
    for (const batch of [...settled, ...confirmed]) this.#fold.fold(batch)
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

  #run({ stream, messages }: FoldBatch): EventRun {
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
