import { LIMITS } from "../limits.ts"
import { type SqlDatabase, SqlFailure } from "../sql.ts"
import { isSign, isWord, type SqlText, scanSql } from "../sql-text.ts"
import { checkParameters, type Parameter } from "./binding.ts"
import { invalidView, type ViewData, viewKey } from "./definition.ts"
import { asksDates, readDateUse, unequalCall } from "./determinism.ts"
import { type Catalog, type Program, readCatalog, readProgram } from "./program.ts"

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
  /** What an event of each type runs, in this order. Types without an entry are skipped. */
  readonly handlers: ReadonlyMap<string, readonly CompiledStatement[]>
}

export type CompiledView = {
  readonly name: string
  /** Equal for definitions that do the same: `viewKey`. */
  readonly key: string
  readonly sources: readonly CompiledSource[]
}

/** Where in a view a statement stands, for its error. */
type Place = string

/**
 * Checks a view and creates its tables in `database`, which is empty so far. Rules VIEW1 to VIEW6.
 *
 * @throws HeadwaterError `invalid-view` that names the place, what was expected and what came. The database
 * is of no use then.
 */
export function compileView(database: SqlDatabase, name: string, view: ViewData): CompiledView {
  const owned = new Map<string, string[]>()
  const ownerOf = new Map<string, string>() // by the table's name in lower case
  for (const [source, { tables }] of Object.entries(view)) {
    owned.set(source, [])
    for (const [at, sql] of tables.entries()) {
      const place = `View "${name}", source "${source}", table statement ${at + 1}`
      const { table, isNew } = createdBy(sql, place)
      const owner = ownerOf.get(table.toLowerCase())
      if (isNew ? owner !== undefined : owner !== source) {
        const came = owner === undefined ? "no table of that name" : `that name, of source "${owner}"`
        throw refusal(place, isNew ? `a new table "${table}"` : `a table "${table}" of this source`, came)
      }
      attempt(place, () => database.exec(sql))
      if (!isNew) continue
      ownerOf.set(table.toLowerCase(), source)
      owned.get(source)?.push(table)
      checkTable(database, table, place)
    }
  }
  const catalog = readCatalog(database)
  const sources = Object.entries(view).map(([source, { on }]): CompiledSource => {
    const tables = owned.get(source) ?? []
    const handlers = Object.entries(on).map(([type, texts]): [string, CompiledStatement[]] => {
      const statements = texts.map((sql, at) => {
        const place = `View "${name}", source "${source}", event "${type}", statement ${at + 1}`
        return compileStatement(database, catalog, tables, sql, place)
      })
      return [type, statements]
    })
    return { name: source, tables, handlers: new Map(handlers) }
  })
  return { name, key: viewKey(view), sources }
}

const RESERVED = /^(sqlite|_cf|headwater)_/i // SQLite's, Durable Objects', ours

/** Which table a statement creates, or creates an index on. Nothing but these two is a table statement. */
function createdBy(sql: string, place: Place): { readonly table: string; readonly isNew: boolean } {
  const { tokens } = oneStatement(sql, place)
  const foreign = tokens.find((token) => isWord(token, "REFERENCES", "FOREIGN", "AUTOINCREMENT"))
  if (foreign !== undefined) {
    throw refusal(place, "columns that depend on nothing but their own table", foreign.text.toUpperCase())
  }
  const isUnique = isWord(tokens[1], "UNIQUE")
  const [create, kind, name, next, indexed] = isUnique ? tokens.toSpliced(1, 1) : tokens
  if (isWord(create, "CREATE") && name !== undefined && name.kind !== "sign") {
    if (RESERVED.test(name.text))
      throw refusal(place, "a name without a reserved beginning", `"${name.text}"`)
    if (isWord(kind, "TABLE") && !isUnique && isSign(next, "(")) return { table: name.text, isNew: true }
    if (isWord(kind, "INDEX") && isWord(next, "ON") && indexed !== undefined) {
      return { table: indexed.text, isNew: false }
    }
  }
  throw refusal(place, "CREATE TABLE name (...) or CREATE INDEX name ON table (...)", begin(sql))
}

/**
 * Defaults, CHECKs and generated columns run with every insert: one that uses them all shows what they call.
 */
function checkTable(database: SqlDatabase, table: string, place: Place): void {
  const sql = `INSERT INTO "${table.replaceAll(`"`, `""`)}" DEFAULT VALUES`
  const { calls } = attempt(place, () => readProgram(database, readCatalog(database), sql))
  const unequal = unequalCall(calls)
  if (unequal !== undefined) throw notEverywhere(place, unequal)
  if (asksDates(calls)) throw notEverywhere(place, "a date in a DEFAULT")
}

function compileStatement(
  database: SqlDatabase,
  catalog: Catalog,
  tables: readonly string[],
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
  const moments = asksDates(program.calls) ? momentsOf(text, place) : []
  return { sql, parameters: checkParameters(text.parameters, moments, place), writes: [...program.writes] }
}

/** What a handler may touch: its own tables, and JSON that the event carries. */
function checkReach(program: Program, text: SqlText, tables: readonly string[], place: Place): void {
  for (const table of [...program.writes, ...program.reads]) {
    if (!tables.includes(table)) {
      throw refusal(
        place,
        `only tables of its own source (${tables.join(", ")})`,
        `a statement that uses "${table}"`,
      )
    }
  }
  if (program.writes.size === 0)
    throw refusal(place, "a statement that writes a table", begin(text.tokens[0]?.text ?? ""))
  if (program.answersRows) throw refusal(place, "a statement that answers no rows", "RETURNING")
  if (program.runsTriggers) throw refusal(place, "a statement that runs no triggers", "one that does")
  if (program.keepsPartsOnConflict) {
    throw refusal(place, "a conflict to undo its own statement and no more", "ON CONFLICT ROLLBACK or FAIL")
  }
  if (!program.readsVirtualTable) return
  const names = text.tokens
    .filter((token) => token.kind !== "string")
    .map((token) => token.text.toLowerCase())
  const foreign = names.find((word) => OTHER_FUNCTION_TABLES.test(word))
  const isJson = names.some((word) => word === "json_each" || word === "json_tree")
  if (foreign !== undefined || !isJson) {
    throw refusal(
      place,
      "json_each and json_tree as the only functions that make tables",
      `"${foreign ?? "another"}"`,
    )
  }
}

const OTHER_FUNCTION_TABLES =
  /^(pragma_|sqlite_|dbstat$|bytecode$|tables_used$|fts|rtree|geopoly|completion$)/

function momentsOf(text: SqlText, place: Place): readonly string[] {
  const use = readDateUse(text.tokens)
  if ("moments" in use) return use.moments
  throw refusal(place, "date functions of a parameter or a constant, without time zones", use.fault)
}

function oneStatement(sql: string, place: Place): SqlText {
  const text = scanSql(sql)
  if (text.fault !== undefined) throw refusal(place, "SQL", `a text that cannot be read ${text.fault}`)
  if (text.tokens.length === 0) throw refusal(place, "one statement", "none")
  if (text.hasMore)
    throw refusal(place, "one statement (several go into an array)", "more than one in a text")
  if (sql.length > LIMITS.sqlLengthMax) {
    throw refusal(place, `at most ${LIMITS.sqlLengthMax} characters`, `${sql.length}`)
  }
  return text
}

/** SQLite's own refusal, with the place in front of it. */
function attempt<T>(place: Place, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof SqlFailure)) throw cause
    throw invalidView(`${place}: expected SQL that compiles; SQLite says: ${cause.message}`, cause)
  }
}

function notEverywhere(place: Place, what: string): Error {
  return refusal(place, "functions that answer alike on every device and at any time", what)
}

function refusal(place: Place, expected: string, came: string): Error {
  return invalidView(`${place}: expected ${expected}; got ${came}.`)
}

function begin(sql: string): string {
  return JSON.stringify(sql.trim().slice(0, 40))
}
