import { HeadwaterError } from "../../shared/errors.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { SqlDatabase, SqlRow } from "../../shared/sql.ts"
import type { CompiledView } from "../../shared/view/compile.ts"
import { type JsonValue, toJsonValue } from "../../shared/view/json-value.ts"
import { readCatalog } from "../../shared/view/program.ts"
import { compileQuery, type QueryParameters } from "../../shared/view/query.ts"
import { isRecursive, recursionFault, type Sizes, stepsOf } from "./query-cost.ts"
import { BeyondLimits } from "./read-limits.ts"

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

/** Answers a query from the tables of a view, and from nothing else. It reads, and runs only if it ends soon. */
export function answerQuery(parts: QueryParts, sql: string, parameters: QueryParameters): Answer {
  const { database, limited } = parts
  try {
    const query = compileQuery(limited, readCatalog(database), sql)
    try {
      const fault = faultOf(parts, sql)
      if (fault !== undefined) return fault
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
}

/** What makes a query that compiles too costly to run. */
function faultOf({ database, view, bounds, rowsOf }: QueryParts, sql: string): Answer | undefined {
  const plan = planOf(database, sql)
  const endless = isRecursive(plan) ? recursionFault(sql, bounds.queryRecursionMax) : undefined
  if (endless !== undefined) return invalid(endless)
  const steps = stepsOf(plan, sizesOf(view, rowsOf, bounds))
  if (steps <= bounds.queryStepsMax) return undefined
  return tooMuch(`at most about ${bounds.queryStepsMax} steps by its plan; it needs ${steps.toPrecision(2)}`)
}

function planOf(database: SqlDatabase, sql: string): SqlRow[] {
  const statement = database.prepare(`EXPLAIN QUERY PLAN ${sql}`)
  try {
    return statement.all([])
  } finally {
    statement.finalize()
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
