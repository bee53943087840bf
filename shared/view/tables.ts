import { VIEW_LIMITS } from "../common-limits.ts"
import { type SqlDatabase, SqlFailure } from "../sql.ts"
import { isSign, isWord } from "../sql-text.ts"
import { asksDates, formatFault, readPatterns, unequalCall } from "./determinism.ts"
import { readCatalog, readProgram } from "./program.ts"
import { attempt, begin, notEverywhere, oneStatement, type Place, refusal } from "./refusal.ts"

/** A table of a source. */
export type OwnedTable = {
  readonly name: string
  readonly kind: "table" | "fts5"
  /** As `SELECT *` names them. */
  readonly columns: readonly string[]
  /** Its rows have a rowid that is none of their columns. */
  readonly hasHiddenRowid: boolean
  /** Its rowid is a column: an INTEGER PRIMARY KEY. */
  readonly isNumbered: boolean
}

type Statement = { readonly table: string; readonly kind: OwnedTable["kind"] | "index" }

const RESERVED = /^(sqlite|_cf|headwater)_/i // SQLite's, Durable Objects', ours

/** The tables of a view as they are created, one statement after the other. */
export class ViewTables {
  readonly #database: SqlDatabase
  readonly #owned = new Map<string, { readonly source: string; readonly table: OwnedTable }>() // lower case

  constructor(database: SqlDatabase) {
    this.#database = database
  }

  /** Runs a table statement of a source. @throws HeadwaterError `invalid-view` */
  create(source: string, sql: string, place: Place): void {
    const { table, kind } = statementOf(sql, place)
    const owner = this.#owned.get(table.toLowerCase())
    if (kind === "index" ? owner?.source !== source : owner !== undefined) {
      const expected = kind === "index" ? `a table "${table}" of this source` : `a new table "${table}"`
      const came = owner === undefined ? "no table of that name" : `that name, of source "${owner.source}"`
      throw refusal(place, expected, came)
    }
    attempt(place, () => this.#database.exec(sql))
    if (kind !== "index") {
      this.#owned.set(table.toLowerCase(), { source, table: made(this.#database, table, kind, place) })
    }
    if (kind !== "fts5") checkExpressions(this.#database, table, place)
  }

  /** The tables of a source, in the order of their creation. */
  of(source: string): OwnedTable[] {
    return [...this.#owned.values()].filter((owned) => owned.source === source).map(({ table }) => table)
  }
}

/** Which table a statement creates, or creates an index on. Nothing but these is a table statement. */
function statementOf(sql: string, place: Place): Statement {
  const { tokens } = oneStatement(sql, place)
  const use = readPatterns(tokens)
  if ("fault" in use) throw refusal(place, "LIKE or GLOB with a constant of at most 50 bytes", use.fault)
  const format = formatFault(tokens)
  if (format !== undefined)
    throw refusal(place, "printf with a constant format and widths of at most five digits", format)
  const [, modifier] = tokens
  const isFts = isWord(modifier, "VIRTUAL")
  const isUnique = isWord(modifier, "UNIQUE")
  const foreign = tokens.find((token) => isWord(token, "REFERENCES", "FOREIGN", "AUTOINCREMENT"))
  if (foreign !== undefined && !isFts) {
    throw refusal(place, "columns that depend on nothing but their own table", foreign.text.toUpperCase())
  }
  const [create, kind, name, next, after, last] = isUnique || isFts ? tokens.toSpliced(1, 1) : tokens
  if (isWord(create, "CREATE") && name !== undefined && name.kind !== "sign") {
    if (RESERVED.test(name.text))
      throw refusal(place, "a name without a reserved beginning", `"${name.text}"`)
    if (isFts) {
      const isWhole =
        isWord(kind, "TABLE") && isWord(next, "USING") && isWord(after, "FTS5") && isSign(last, "(")
      if (isWhole) return { table: name.text, kind: "fts5" }
    } else if (isWord(kind, "TABLE") && !isUnique && isSign(next, "(")) {
      return { table: name.text, kind: "table" }
    } else if (isWord(kind, "INDEX") && isWord(next, "ON") && after !== undefined) {
      return { table: after.text, kind: "index" }
    }
  }
  throw refusal(
    place,
    "CREATE TABLE name (...), CREATE INDEX name ON table (...) or CREATE VIRTUAL TABLE name USING fts5(...)",
    begin(sql),
  )
}

/** What became of a table that was just created. */
function made(database: SqlDatabase, name: string, kind: OwnedTable["kind"], place: Place): OwnedTable {
  const columns = columnsOf(database, `SELECT * FROM ${quoted(name)}`)
  if (columns.length > VIEW_LIMITS.tableColumnsMax) {
    throw refusal(place, `at most ${VIEW_LIMITS.tableColumnsMax} columns`, `${columns.length}`)
  }
  if (kind === "fts5") {
    if (columnsOf(database, `SELECT 1 FROM ${quoted(`${name}_content`)}`).length === 0) {
      throw refusal(place, "an FTS5 table that keeps its own content", "content =")
    }
    return { name, kind, columns, hasHiddenRowid: false, isNumbered: false }
  }
  if (columns.some((column) => column.toLowerCase() === "rowid")) {
    throw refusal(place, "columns with names of their own", "rowid")
  }
  const hasRowid = columnsOf(database, `SELECT rowid FROM ${quoted(name)}`).length > 0
  const catalog = readCatalog(database)
  const key = columns.find(
    (column) =>
      hasRowid && readProgram(database, catalog, `SELECT ${quoted(column)} FROM ${quoted(name)}`).readsRowid,
  )
  if (key !== undefined) attempt(place, () => database.exec(lastKeyGuard(name, key)))
  return { name, kind, columns, hasHiddenRowid: hasRowid && key === undefined, isNumbered: key !== undefined }
}

/**
 * Behind the greatest of all rowids SQLite draws the next one by lot. So no row may have it: this index, which
 * holds no rows, takes the absolute value of -2^63 for such a row, which overflows, and the event fails alike
 * everywhere.
 */
function lastKeyGuard(table: string, key: string): string {
  const column = quoted(key)
  return (
    `CREATE INDEX ${quoted(`headwater_last_key_of_${table}`)} ON ${quoted(table)} ` +
    `(abs(${column} - 9223372036854775807 - 9223372036854775807 - 1)) WHERE ${column} = 9223372036854775807`
  )
}

/**
 * Defaults, CHECKs, indexes and stored columns run with every insert: one that uses them all shows what they
 * call. Columns that are not stored run when they are read, where a failure would be no event's.
 */
function checkExpressions(database: SqlDatabase, table: string, place: Place): void {
  const catalog = readCatalog(database)
  const insert = attempt(place, () =>
    readProgram(database, catalog, `INSERT INTO ${quoted(table)} DEFAULT VALUES`),
  )
  const unequal = unequalCall(insert.calls)
  if (unequal !== undefined) throw notEverywhere(place, unequal)
  if (asksDates(insert.calls)) throw notEverywhere(place, "a date in a DEFAULT")
  const [late] = attempt(place, () => readProgram(database, catalog, `SELECT * FROM ${quoted(table)}`)).calls
  if (late !== undefined)
    throw refusal(place, "STORED for a generated column that calls a function", late.name)
}

/** The names of the columns that a query answers; none if there is no such table or column. */
function columnsOf(database: SqlDatabase, sql: string): string[] {
  try {
    const statement = database.prepare(sql)
    const columns = [...statement.columns]
    statement.finalize()
    return columns
  } catch (cause) {
    if (!(cause instanceof SqlFailure)) throw cause
    return []
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll(`"`, `""`)}"`
}
