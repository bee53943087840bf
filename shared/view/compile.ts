import type { SqlDatabase } from "../sql.ts"
import { isSign, isWord, type SqlText, type SqlToken } from "../sql-text.ts"
import { checkParameters, type Parameter } from "./binding.ts"
import { type ViewData, viewKey } from "./definition.ts"
import { asksDates, formatFault, readDateUse, readPatterns, unequalCall } from "./determinism.ts"
import { orderFault } from "./order.ts"
import { type Catalog, type Program, readCatalog, readProgram } from "./program.ts"
import { attempt, begin, notEverywhere, oneStatement, type Place, refusal } from "./refusal.ts"
import { type OwnedTable, ViewTables } from "./tables.ts"

/** One statement of a handler, known to be safe: deterministic, and within its source's tables. */
export type CompiledStatement = {
  readonly sql: string
  /** What binds to each position. */
  readonly parameters: readonly Parameter[]
  /** The tables it writes, by their names. */
  readonly writes: readonly string[]
}

export type CompiledSource = {
  readonly name: string
  readonly tables: readonly string[]
  /** The same with what is known of each. */
  readonly owned: readonly OwnedTable[]
  /** What an event of each type runs, in this order. Types without an entry are skipped. */
  readonly handlers: ReadonlyMap<string, readonly CompiledStatement[]>
}

export type CompiledView = {
  readonly name: string
  /** Equal for definitions that do the same: `viewKey`. */
  readonly key: string
  readonly sources: readonly CompiledSource[]
}

/**
 * Checks a view and creates its tables in `database`, which is empty so far. Rules VIEW1 to VIEW6 and VIEW16 to
 * VIEW20.
 *
 * @throws HeadwaterError `invalid-view` that names the place, what was expected and what came. The database
 * is of no use then.
 */
export function compileView(database: SqlDatabase, name: string, view: ViewData): CompiledView {
  const tables = new ViewTables(database)
  for (const [source, { tables: texts }] of Object.entries(view)) {
    for (const [at, sql] of texts.entries()) {
      tables.create(source, sql, `View "${name}", source "${source}", table statement ${at + 1}`)
    }
  }
  const catalog = readCatalog(database)
  const sources = Object.entries(view).map(([source, { on }]): CompiledSource => {
    const owned = tables.of(source)
    const handlers = Object.entries(on).map(([type, texts]): [string, CompiledStatement[]] => {
      const statements = texts.map((sql, at) => {
        const place = `View "${name}", source "${source}", event "${type}", statement ${at + 1}`
        return compileStatement(database, catalog, owned, sql, place)
      })
      return [type, statements]
    })
    return { name: source, tables: owned.map((table) => table.name), owned, handlers: new Map(handlers) }
  })
  return { name, key: viewKey(view), sources }
}

function compileStatement(
  database: SqlDatabase,
  catalog: Catalog,
  tables: readonly OwnedTable[],
  sql: string,
  place: Place,
): CompiledStatement {
  const text = oneStatement(sql, place)
  if (!isWord(text.tokens[0], "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH")) {
    throw refusal(place, "INSERT, UPDATE or DELETE", begin(sql))
  }
  const program = attempt(place, () => readProgram(database, catalog, sql))
  checkReach(program, text, tables, place)
  const unequal = unequalCall(program.calls)
  if (unequal !== undefined) throw notEverywhere(place, unequal)
  const order = orderFault(text.tokens)
  if (order !== undefined) throw refusal(place, "a result that does not depend on the order of rows", order)
  checkRowids(program, text, tables, place)
  const fts = tables.find((table) => table.kind === "fts5" && program.writes.has(table.name))
  if (fts !== undefined) checkCommands(fts, text, place)
  const format = formatFault(text.tokens)
  if (format !== undefined) {
    const expected = "printf with a constant format whose widths are numbers of at most five digits"
    throw refusal(place, expected, format)
  }
  const parameters = checkParameters(text.parameters, place, {
    moments: asksDates(program.calls) ? momentsOf(text, place) : [],
    patterns: program.calls.some(({ name }) => name === "like" || name === "glob")
      ? patternsOf(text, place)
      : [],
  })
  return { sql, parameters, writes: [...program.writes] }
}

/** What a handler may touch: its own tables, and JSON that the event carries. */
function checkReach(program: Program, text: SqlText, tables: readonly OwnedTable[], place: Place): void {
  const own = tables.map((table) => table.name)
  for (const table of [...program.writes, ...program.reads]) {
    if (own.includes(table)) continue
    const came = `a statement that uses "${table}"`
    throw refusal(place, `only tables of its own source (${own.join(", ")})`, came)
  }
  if (program.usesShadows) {
    throw refusal(place, "FTS5 tables and not what is kept behind them", begin(text.tokens[0]?.text ?? ""))
  }
  if (program.functionTables.has("")) {
    throw refusal(place, "json_each and json_tree as the only functions that make tables", "another")
  }
  if (program.writes.size === 0)
    throw refusal(place, "a statement that writes a table", begin(text.tokens[0]?.text ?? ""))
  if (program.answersRows) throw refusal(place, "a statement that answers no rows", "RETURNING")
  if (program.runsTriggers) throw refusal(place, "a statement that runs no triggers", "one that does")
  if (program.keepsPartsOnConflict) {
    throw refusal(place, "a conflict to undo its own statement and no more", "ON CONFLICT ROLLBACK or FAIL")
  }
  if (program.readsJsonNumbers) {
    throw refusal(place, "columns of json_each that every build fills alike", "id or parent")
  }
  const ranks = program.reads.size > 0 && text.tokens.some((token, at) => isRank(token, text.tokens[at + 1]))
  const readsFts = tables.some((table) => table.kind === "fts5" && program.reads.has(table.name))
  if (program.matches || (ranks && readsFts)) {
    throw refusal(place, "FTS5 tables to be searched by queries and not by handlers", "MATCH or rank")
  }
}

/** The column of FTS5, not the window function. */
function isRank(token: SqlToken, next: SqlToken | undefined): boolean {
  return (token.kind === "word" || token.kind === "name") && /^rank$/i.test(token.text) && !isSign(next, "(")
}

const ROWID = /^(rowid|oid|_rowid_)$/i

/** A rowid that no column holds is not part of the rows: it may be another one after a snapshot. */
function checkRowids(program: Program, text: SqlText, tables: readonly OwnedTable[], place: Place): void {
  const names = text.tokens
    .filter((token) => (token.kind === "word" || token.kind === "name") && ROWID.test(token.text))
    .map((token) => token.text.toLowerCase())
  for (const { name, columns, hasHiddenRowid } of tables) {
    if (!hasHiddenRowid || !(program.reads.has(name) || program.writes.has(name))) continue
    const own = columns.map((column) => column.toLowerCase())
    const hidden = names.find((rowid) => !own.includes(rowid))
    if (hidden !== undefined) {
      throw refusal(place, `an INTEGER PRIMARY KEY of "${name}" where its rowid is used`, hidden)
    }
  }
}

/** FTS5 takes orders through a column with the table's name: they change what is behind it, not its rows. */
function checkCommands(fts: OwnedTable, text: SqlText, place: Place): void {
  const into = text.tokens.findIndex((token) => isWord(token, "INTO"))
  const start = text.tokens.findIndex((token, at) => at > into && isSign(token, "("))
  const end = text.tokens.findIndex((token, at) => at > start && isSign(token, ")"))
  if (into < 0 || start < 0 || start > into + 4) return
  const columns = text.tokens.slice(start + 1, end)
  const command = columns.find((token) => token.text.toLowerCase() === fts.name.toLowerCase())
  if (command !== undefined) throw refusal(place, `rows for "${fts.name}"`, "an order to FTS5")
}

function momentsOf(text: SqlText, place: Place): readonly string[] {
  const use = readDateUse(text.tokens)
  if ("moments" in use) return use.moments
  throw refusal(place, "date functions of a parameter or a constant, without time zones", use.fault)
}

function patternsOf(text: SqlText, place: Place): readonly string[] {
  const use = readPatterns(text.tokens)
  if ("patterns" in use) return use.patterns
  throw refusal(place, "LIKE or GLOB with a parameter or a constant of at most 50 bytes", use.fault)
}
