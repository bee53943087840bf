import { HeadwaterError } from "../../shared/errors.ts"
import type { SqlRow, SqlValue } from "../../shared/sql.ts"
import { asObjects, type CompiledQuery, type QueryParameters } from "../../shared/view/query.ts"

/** Rows as the app sees them. */
export type Row = { readonly [column: string]: SqlValue }

/** Whoever follows a query. It is told one thing, and the next when it has asked for that. */
export type LiveListener = {
  /** The rows now: once at the beginning and then whenever they differ from those that were told last. */
  onRows(rows: readonly Row[]): void
  /** The query failed while it ran. It stays followed and may answer again. */
  onError(error: HeadwaterError): void
}

/** A query that is followed, in the hands of its listener. */
export type Followed = {
  /** What was told last has been dealt with. What has changed meanwhile is told as it is now. */
  next(): void
  /** Ends it; calling it twice is fine. */
  stop(): void
}

type Live = {
  query: CompiledQuery
  readonly parameters: QueryParameters
  readonly listener: LiveListener
  /** What the listener has seen; undefined when its last news was an error. */
  seen: readonly SqlRow[] | undefined
  /** `telling`: the listener is not done with what it was told. `late`: rows may have changed since. */
  state: "idle" | "telling" | "late"
}

/** The queries that are followed, and what each of them last answered. */
export class LiveQueries {
  readonly #live = new Set<Live>()

  /** Answers at once, then after each `refresh`, one answer at a time. `stop` closes the query. */
  follow(query: CompiledQuery, parameters: QueryParameters, listener: LiveListener): Followed {
    const live: Live = { query, parameters, listener, seen: undefined, state: "idle" }
    this.#live.add(live)
    answer(live)
    return {
      next: () => this.#next(live),
      stop: () => {
        if (this.#live.delete(live)) live.query.close()
      },
    }
  }

  /** The same queries over another database of the same tables: they answer again where its rows differ. */
  move(compile: (sql: string) => CompiledQuery): void {
    for (const live of [...this.#live]) {
      const { query } = live
      live.query = compile(query.sql)
      query.close()
      answerInTurn(live)
    }
  }

  /**
   * Runs again what reads one of these tables, unless its listener is still busy: then when it is done, once for all
   * that has changed. A listener may stop itself or others meanwhile.
   */
  refresh(changed: ReadonlySet<string>): void {
    if (changed.size === 0) return
    for (const live of [...this.#live]) {
      if (!this.#live.has(live) || ![...live.query.tables].some((table) => changed.has(table))) continue
      answerInTurn(live)
    }
  }

  close(): void {
    for (const { query } of this.#live) query.close()
    this.#live.clear()
  }

  #next(live: Live): void {
    const isLate = live.state === "late"
    live.state = "idle"
    if (isLate && this.#live.has(live)) answer(live)
  }
}

function answerInTurn(live: Live): void {
  if (live.state === "idle") answer(live)
  else live.state = "late"
}

function answer(live: Live): void {
  const rows = rowsOf(live)
  if (rows === undefined || (live.seen !== undefined && equalRows(live.seen, rows))) return
  live.seen = rows
  live.state = "telling"
  live.listener.onRows(asObjects(live.query.columns, rows))
}

function rowsOf(live: Live): readonly SqlRow[] | undefined {
  try {
    return live.query.rows(live.parameters)
  } catch (cause) {
    if (!(cause instanceof HeadwaterError)) throw cause
    live.seen = undefined
    live.state = "telling"
    live.listener.onError(cause)
    return undefined
  }
}

function equalRows(left: readonly SqlRow[], right: readonly SqlRow[]): boolean {
  return left.length === right.length && left.every((row, at) => equalRow(row, right[at] ?? []))
}

function equalRow(left: SqlRow, right: SqlRow): boolean {
  return left.every((value, at) => equalValue(value, right[at] ?? null))
}

function equalValue(left: SqlValue, right: SqlValue): boolean {
  if (left === right) return true
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return false
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}
