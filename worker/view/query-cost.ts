import type { SqlRow } from "../../shared/sql.ts"
import { isWord, scanSql } from "../../shared/sql-text.ts"
import { readsItself, withParts } from "../../shared/view/with-parts.ts"

/*
 * What a query may cost, before it runs. Nothing stops SQLite once it runs inside a Durable Object, which has one
 * thread; so what would run for long is refused. EXPLAIN QUERY PLAN tells which tables are read within which others;
 * the product of their sizes is about how many steps that takes. It is an estimate: how many rows an index finds is
 * guessed, and so is what a function makes of its arguments.
 */

/** Rows that a look into an index finds, unless it is by the row's own number. */
const ROWS_BY_INDEX = 50
/** Rows that a function such as `json_each` makes. */
const ROWS_OF_FUNCTION = 1_000

export type Sizes = {
  /** Rows of the table of this name; undefined when there is none. */
  rowsOf(table: string): number | undefined
  /** The greatest number of rows of any table. Plans call a table by its alias. */
  readonly most: number
  /** Rows that a recursive part asks for at most. */
  readonly recursion: number
}

type Step = { readonly id: number; readonly parent: number; readonly detail: string }

/** About how many steps a query takes, by the rows of its plan: id, parent, unused, detail. */
export function stepsOf(plan: readonly SqlRow[], sizes: Sizes): number {
  const steps = plan.map((row): Step => {
    return { id: Number(row[0]), parent: Number(row[1]), detail: String(row[3]) }
  })
  return costOf(steps, 0, sizes, new Map())
}

/** `made` has the sizes of what parts of the plan have made, by their names. */
function costOf(steps: readonly Step[], parent: number, sizes: Sizes, made: Map<string, number>): number {
  let loops = 1
  let cost = 1
  for (const { id, detail } of steps.filter((step) => step.parent === parent)) {
    const [, how, name = ""] = /^(SCAN|SEARCH) (\S+)/.exec(detail) ?? []
    if (how !== undefined) {
      loops *= Math.max(1, rowsFound(how, name, detail, sizes, made))
      cost += loops
      continue
    }
    const within = costOf(steps, id, sizes, made)
    const isRecursive = detail === "RECURSIVE STEP"
    const times = detail.startsWith("CORRELATED") ? loops : isRecursive ? sizes.recursion : 1
    const [, part] = /^(?:CO-ROUTINE|MATERIALIZE) (\S+)/.exec(detail) ?? []
    if (part !== undefined) made.set(part, within)
    cost += times * within
  }
  return cost
}

function rowsFound(
  how: string,
  name: string,
  detail: string,
  sizes: Sizes,
  made: ReadonlyMap<string, number>,
): number {
  if (detail.startsWith("SCAN CONSTANT ROW")) return 1
  if (detail.includes("VIRTUAL TABLE")) return ROWS_OF_FUNCTION
  const rows = made.get(name) ?? sizes.rowsOf(name) ?? sizes.most
  if (how === "SCAN" || !/\([^)]*=\?/.test(detail)) return rows
  return detail.includes("(rowid=?)") ? 1 : Math.min(rows, ROWS_BY_INDEX)
}

/**
 * Why a query may run for ever: a part of it that reads itself without asking for a bounded number of rows. SQLite
 * stops such a part at its LIMIT; so that is to be a number, at the end of the part.
 */
export function recursionFault(sql: string, rowsMax: number): string | undefined {
  for (const part of withParts(scanSql(sql).tokens)) {
    if (!readsItself(part)) continue
    const [limit, rows] = part.body.slice(-2)
    const isBounded = isWord(limit, "LIMIT") && rows?.kind === "number" && Number(rows.text) <= rowsMax
    if (!isBounded)
      return `expected LIMIT and a number of at most ${rowsMax} at the end of the recursive part "${part.name}"`
  }
  return undefined
}

/** Whether a plan has a recursive part. */
export function isRecursive(plan: readonly SqlRow[]): boolean {
  return plan.some((row) => row[3] === "RECURSIVE STEP")
}
