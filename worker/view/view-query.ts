import { HeadwaterError } from "../../shared/errors.ts"
import type { Bounds } from "../../shared/limits.ts"
import { type SqlDatabase, SqlFailure, type SqlRow } from "../../shared/sql.ts"
import { isWord, scanSql } from "../../shared/sql-text.ts"
import type { CompiledView } from "../../shared/view/compile.ts"
import { type JsonValue, toJsonValue } from "../../shared/view/json-value.ts"
import { readCatalog } from "../../shared/view/program.ts"
import { compileQuery, type QueryParameters } from "../../shared/view/query.ts"
import { BeyondLimits } from "./do-sqlite.ts"
import { isRecursive, recursionFault, type Sizes, stepsOf } from "./query-cost.ts"

export type Answer =
  | { readonly kind: "rows"; readonly columns: readonly string[]; readonly rows: readonly JsonValue[][] }
  | { readonly kind: "invalid" | "too-much"; readonly message: string }

export type QueryParts = {
  readonly database: SqlDatabase
  /** The same one, of which queries bring no more than an answer may have. */
  readonly limited: SqlDatabase
  readonly view: CompiledView
  readonly bounds: Pick<Bounds, "queryStepsMax" | "queryRecursionMax">
  /** About how many rows a table has. */
  rowsOf(table: string): number
}

/** Names that a query may not use: tables of SQLite's, of the platform's and of ours are no part of a view. */
const FOREIGN = /^(pragma_|sqlite_|_cf_|headwater_|dbstat$|bytecode$|tables_used$)/i

/** Answers a query from the tables of a view, and from nothing else. It reads, and runs only if it ends soon. */
export function answerQuery(parts: QueryParts, sql: string, parameters: QueryParameters): Answer {
  const { database, limited, view, bounds } = parts
  try {
    const fault = faultIn(parts, sql)
    if (fault !== undefined) return fault
    const query = compileQuery(limited, readCatalog(database), sql)
    try {
      const tables = view.sources.flatMap((source) => source.tables)
      const foreign = [...query.tables].find((table) => !tables.includes(table))
      if (foreign !== undefined)
        return invalid(`expected tables of the view (${tables.join(", ")}); got "${foreign}"`)
      const rows = query.rows(parameters).map((row) => row.map(toJsonValue))
      return { kind: "rows", columns: query.columns, rows }
    } finally {
      query.close()
    }
  } catch (error) {
    if (error instanceof HeadwaterError && error.code === "invalid-query") {
      return { kind: "invalid", message: error.message }
    }
    if (error instanceof BeyondLimits) return tooMuch(error.message)
    throw error
  }

  function faultIn({ rowsOf }: QueryParts, text: string): Answer | undefined {
    const { tokens } = scanSql(text)
    if (!isWord(tokens[0], "SELECT", "VALUES", "WITH")) return undefined // which the compiler refuses in its words
    const foreign = tokens.find(({ kind, text: word }) => kind !== "string" && FOREIGN.test(word))
    if (foreign !== undefined) return invalid(`expected tables of the view; got "${foreign.text}"`)
    const plan = planOf(database, text)
    if (plan === undefined) return undefined // as above
    const endless = isRecursive(plan) ? recursionFault(text, bounds.queryRecursionMax) : undefined
    if (endless !== undefined) return invalid(endless)
    const steps = stepsOf(plan, sizesOf(view, rowsOf, bounds))
    if (steps <= bounds.queryStepsMax) return undefined
    return tooMuch(
      `at most about ${bounds.queryStepsMax} steps by its plan; it needs ${steps.toPrecision(2)}`,
    )
  }
}

/** Undefined when it does not compile. */
function planOf(database: SqlDatabase, sql: string): SqlRow[] | undefined {
  try {
    return database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all([])
  } catch (error) {
    if (error instanceof SqlFailure) return undefined
    throw error
  }
}

function sizesOf(
  view: CompiledView,
  rowsOf: (table: string) => number,
  { queryRecursionMax }: QueryParts["bounds"],
): Sizes {
  const rows = new Map(
    view.sources.flatMap(({ tables }) => tables).map((table) => [table.toLowerCase(), rowsOf(table)]),
  )
  return {
    rowsOf: (table) => rows.get(table.toLowerCase()),
    most: Math.max(0, ...rows.values()),
    recursion: queryRecursionMax,
  }
}

function invalid(message: string): Answer {
  return { kind: "invalid", message: `The query: ${message}.` }
}

function tooMuch(message: string): Answer {
  return { kind: "too-much", message: `The query: expected ${message}.` }
}
