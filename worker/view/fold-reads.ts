import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import type { QueryParameters } from "../../shared/view/query.ts"
import { type Cursor, cursorOf, hasReached } from "./cursor.ts"
import type { Feed, FeedHalt } from "./feeds.ts"
import type { FoldCore } from "./fold-core.ts"
import type { FoldRecord, Phase } from "./fold-record.ts"
import { Statements } from "./statements.ts"
import type { SkipAsk } from "./view-claim.ts"
import { type Answer, answerQuery } from "./view-query.ts"

export type QueryAsk = {
  readonly sql: string
  readonly parameters: QueryParameters
  /** What is to be folded before, and how long that may take. */
  readonly least: Cursor
  readonly waitMs: number
}

/** Nothing is folded here any more, or yet. */
export type NoFold = { readonly kind: "no-fold" }

export type QueryAnswer =
  | (Answer & { readonly cursor: Cursor })
  /** It is not folded so far. */
  | { readonly kind: "behind"; readonly cursor: Cursor }
  | NoFold

/** Where a source stands still for a stream, and why. */
export type HaltReport = { readonly source: string; readonly stream: string; readonly at: string } & FeedHalt

export type FoldReport = {
  readonly kind: "fold"
  readonly generation: number
  readonly phase: Phase
  readonly key: string
  readonly record: Pick<FoldRecord, "view" | "streams">
  readonly cursor: Cursor
  readonly halts: readonly HaltReport[]
  readonly skipped: readonly SkipAsk[]
  readonly rows: { readonly [table: string]: number }
  /** Feeds: a source with one of its streams. */
  readonly progress: { readonly feeds: number; readonly caughtUp: number; readonly isListed: boolean }
  readonly leftOut: number
}

export type FoldReadsParts = {
  readonly core: FoldCore
  /** The same database, which brings no more than an answer may have. */
  readonly limited: SqlDatabase
  readonly database: SqlDatabase
  readonly bounds: Pick<Bounds, "queryStepsMax" | "queryRecursionMax" | "queryCountMsMax">
  now(): Millis
  /** Resolves at `until`, or when something was folded since. */
  folded(until: Millis): Promise<void>
  /** These streams may have more than they have told. */
  hurry(streams: readonly string[]): void
}

/** What a fold is asked. */
export class FoldReads {
  readonly #parts: FoldReadsParts
  readonly #statements: Statements
  readonly #counted = new Map<string, { readonly rows: number; readonly until: number }>()

  constructor(parts: FoldReadsParts) {
    this.#parts = parts
    this.#statements = new Statements(parts.database)
  }

  /** Waits until enough is folded, and answers from one moment. */
  async query({ sql, parameters, least, waitMs }: QueryAsk): Promise<QueryAnswer> {
    const { core, now, folded, hurry, database, limited, bounds } = this.#parts
    const until = (now() + waitMs) as Millis // a time plus a duration
    for (let hasHurried = false; ; ) {
      if (core.find() === undefined) return { kind: "no-fold" }
      const cursor = cursorOf(core.feeds())
      if (hasReached(cursor, least)) {
        const rowsOf = (table: string) => this.#aboutRowsOf(table)
        const parts = { database, limited, view: core.view(), bounds, rowsOf }
        const answer = answerQuery(parts, sql, parameters)
        return { ...answer, cursor }
      }
      if (now() >= until) return { kind: "behind", cursor }
      if (!hasHurried) hurry(Object.keys(least))
      hasHurried = true
      await folded(until)
    }
  }

  report(): FoldReport | NoFold {
    const { core } = this.#parts
    const record = core.find()
    if (record === undefined) return { kind: "no-fold" }
    const { generation, phase, view, streams, isListed, leftOut } = record
    const feeds = core.feeds()
    const compiled = core.view()
    const tables = compiled.sources.flatMap((source) => source.tables)
    return {
      kind: "fold",
      generation,
      phase,
      key: compiled.key,
      record: { view, streams },
      cursor: cursorOf(feeds),
      halts: feeds.flatMap(haltReport),
      skipped: core.skips(),
      rows: Object.fromEntries(tables.map((table) => [table, this.#rowsOf(table)])),
      progress: {
        feeds: feeds.length,
        caughtUp: feeds.filter(({ isCaughtUp }) => isCaughtUp).length,
        isListed: isListed || core.patterns().length === 0,
      },
      leftOut,
    }
  }

  /** As it was a moment ago: counting reads a whole index, and a query's plan needs no more. */
  #aboutRowsOf(table: string): number {
    const { now, bounds } = this.#parts
    const known = this.#counted.get(table)
    if (known !== undefined && now() < known.until) return known.rows
    const rows = this.#rowsOf(table)
    this.#counted.set(table, { rows, until: now() + bounds.queryCountMsMax })
    return rows
  }

  #rowsOf(table: string): number {
    const [row] = this.#statements.all(`SELECT count(*) FROM "${table.replaceAll(`"`, `""`)}"`)
    return Number(row?.[0])
  }
}

function haltReport({ source, stream, offset, halt }: Feed): HaltReport[] {
  return halt === undefined ? [] : [{ source, stream, at: offset, ...halt }]
}
