import { VIEW_LIMITS } from "../common-limits.ts"
import type { AskedAction, QueryPhase } from "../sql.ts"
import { type Catalog, type FunctionCall, type Program, SCHEMA_TABLE } from "./program.ts"

/*
 * What a query may do. SQLite asks its authorizer about each step while it compiles a statement, and about the
 * statements that its own extensions compile while it runs; `refusalOf` is the answer. Where an engine has no
 * authorizer, `faultOf` decides alone, by the program that came out.
 */

/** The tables that a query may read, and those that FTS5 keeps behind them for itself. */
export type QueryScope = {
  readonly tables: ReadonlySet<string>
  /** Whether FTS5 keeps this table behind one of its own. */
  isShadow(table: string): boolean
}

/** Actions of SQLite's authorizer, by its own numbers. */
const PRAGMA = 19
const READ = 20
const SELECT = 21
const FUNCTION = 31
const RECURSIVE = 33

/** Its other actions, for the words of a refusal. Reads of the future are refused all the same. */
const WORDS: ReadonlyMap<number, string> = new Map([
  [9, "DELETE"],
  [18, "INSERT"],
  [23, "UPDATE"],
  [24, "ATTACH"],
  [25, "DETACH"],
])

/** Tables that are made by a function of their arguments. */
const FUNCTION_TABLES: readonly string[] = ["json_each", "json_tree"]
/** Functions that reach beyond the database. */
const FOREIGN_FUNCTIONS: readonly string[] = ["load_extension", "fts3_tokenizer"]
/** Names that no table of a view has: those of SQLite, of Durable Objects and of this project. */
const FOREIGN_NAME = /^(?:sqlite_|_cf_|headwater_)/i

export function scopeOf({ pages, virtual }: Catalog): QueryScope {
  const owned = [...pages.values()].filter(({ isShadow }) => !isShadow).map(({ table }) => table)
  const tables = new Set([...owned, ...virtual].filter((table) => !FOREIGN_NAME.test(table)))
  return {
    tables,
    isShadow: (table) => !tables.has(table) && virtual.some((owner) => table.startsWith(`${owner}_`)),
  }
}

/** Why a query may not do this, in words that follow "got"; undefined when it may. */
export function refusalOf(scope: QueryScope, phase: QueryPhase, asked: AskedAction): string | undefined {
  const { action, first = "", second = "", database } = asked
  switch (action) {
    case SELECT:
    case RECURSIVE:
      return undefined
    case FUNCTION:
      return FOREIGN_FUNCTIONS.includes(second.toLowerCase()) ? `one that calls ${second}` : undefined
    case READ:
      return mayRead(scope, phase, asked) ? undefined : `one that reads "${first}"`
    case PRAGMA: // FTS5 asks whether its tables have changed
      if (phase === "running" && first === "data_version") return undefined
      return `one that runs PRAGMA ${first}`
    default: {
      const word = WORDS.get(action) ?? `action ${action}`
      return `one that writes: ${[word, database, first].filter((part) => part !== undefined).join(" ")}`
    }
  }
}

function mayRead(
  scope: QueryScope,
  phase: QueryPhase,
  { first = "", second, database }: AskedAction,
): boolean {
  if (scope.tables.has(first)) return true
  if (FUNCTION_TABLES.includes(first)) return true
  if (scope.isShadow(first)) return phase === "running"
  // A table of which no column is read, or a part of a WITH: SQLite tells no difference. The program does.
  const isUnknown = (second ?? "") === "" && (database ?? "main") === "main"
  return isUnknown && !FOREIGN_NAME.test(first)
}

/** Why a query with this program is refused, in words that follow "got"; undefined when it is not. */
export function faultOf(scope: QueryScope, program: Program): string | undefined {
  if (program.isWrite) return "one that writes"
  for (const table of program.reads) {
    if (table === SCHEMA_TABLE || !scope.tables.has(table)) return `one that reads "${table}"`
  }
  if (program.usesShadows) return "one that reads what FTS5 keeps for itself"
  if (program.functionTables.has(""))
    return "one that reads another table function than json_each and json_tree"
  const foreign = program.calls.find(({ name }) => FOREIGN_FUNCTIONS.includes(name))
  return foreign === undefined ? undefined : `one that calls ${foreign.name}`
}

/**
 * How long a value may be while a query runs. A call cannot be interrupted; those whose time grows with the product of
 * two lengths would take hours for values of 2 MB, and take some tenths of a second for these.
 */
export function valueBytesMax(calls: readonly FunctionCall[]): number {
  const bounds = calls.map(({ name, arity }) => SLOW.get(`${name}/${arity}`) ?? VIEW_LIMITS.sqlValueBytesMax)
  return Math.min(VIEW_LIMITS.sqlValueBytesMax, ...bounds)
}

const SLOW: ReadonlyMap<string, number> = new Map([
  ["instr/2", 32_768],
  ["replace/3", 32_768],
  ["json_patch/2", 32_768],
  ["jsonb_patch/2", 32_768],
  ["trim/2", 8_192],
  ["ltrim/2", 8_192],
  ["rtrim/2", 8_192],
])
