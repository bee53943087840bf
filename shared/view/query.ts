import { HeadwaterError } from "../errors.ts"
import { LIMITS } from "../limits.ts"
import { type SqlDatabase, SqlFailure, type SqlRow, type SqlStatement, type SqlValue } from "../sql.ts"
import { isWord, scanSql } from "../sql-text.ts"
import { type Catalog, readProgram } from "./program.ts"

/** What a query's parameters get: by position, or by name without its `:`. Booleans are 1 and 0. */
export type QueryParameters = readonly QueryValue[] | { readonly [name: string]: QueryValue }
export type QueryValue = SqlValue | boolean

/** A query that reads and does nothing else. */
export type CompiledQuery = {
  readonly sql: string
  readonly columns: readonly string[]
  /** The tables that its rows come from. */
  readonly tables: ReadonlySet<string>
  /** @throws HeadwaterError `invalid-query` when the parameters do not fit or SQLite stops while it runs. */
  rows(parameters: QueryParameters): SqlRow[]
  /** Frees it. Idempotent. */
  close(): void
}

/**
 * Compiles a query and makes sure that it cannot write. Its first word must be SELECT, VALUES or WITH, since
 * a PRAGMA takes effect while it is compiled; that a WITH does not go on to write is read from the program,
 * where SQLite marks every write transaction.
 *
 * @throws HeadwaterError `invalid-query` that names what was expected and what came.
 */
export function compileQuery(database: SqlDatabase, catalog: Catalog, sql: string): CompiledQuery {
  const text = scanSql(sql)
  if (text.fault !== undefined) throw invalidQuery(sql, "SQL", `a text that cannot be read ${text.fault}`)
  if (text.tokens.length === 0) throw invalidQuery(sql, "one statement", "none")
  if (text.hasMore) throw invalidQuery(sql, "one statement", "several")
  if (sql.length > LIMITS.sqlLengthMax)
    throw invalidQuery(sql, `at most ${LIMITS.sqlLengthMax} characters`, `${sql.length}`)
  if (!isWord(text.tokens[0], "SELECT", "VALUES", "WITH")) {
    throw invalidQuery(sql, "SELECT, VALUES or WITH", text.tokens[0]?.text ?? "nothing")
  }
  return attempt(sql, () => {
    const program = readProgram(database, catalog, sql)
    if (program.isWrite) throw invalidQuery(sql, "a query that only reads", "one that writes")
    return opened(database.prepare(sql), program.reads, sql, text.parameters)
  })
}

function opened(
  statement: SqlStatement,
  tables: ReadonlySet<string>,
  sql: string,
  names: readonly (string | undefined)[],
): CompiledQuery {
  return {
    sql,
    columns: statement.columns,
    tables,
    rows(parameters) {
      const values = isList(parameters) ? byPosition(sql, names, parameters) : byName(sql, names, parameters)
      return attempt(sql, () => statement.all(values))
    },
    close: () => statement.finalize(),
  }
}

/** Rows as objects, a column a field. Of two columns with one name the later one stays. */
export function asObjects(columns: readonly string[], rows: readonly SqlRow[]): Record<string, SqlValue>[] {
  const isPlain = !columns.includes("__proto__")
  return rows.map((row) => {
    if (!isPlain) return Object.fromEntries(columns.map((column, at) => [column, row[at] ?? null]))
    const object: Record<string, SqlValue> = {}
    for (let at = 0; at < columns.length; at++) object[columns[at] ?? ""] = row[at] ?? null
    return object
  })
}

function isList(parameters: QueryParameters): parameters is readonly QueryValue[] {
  return Array.isArray(parameters)
}

function byPosition(sql: string, names: readonly unknown[], given: readonly QueryValue[]): SqlValue[] {
  if (given.length !== names.length) {
    throw invalidQuery(sql, `values for ${names.length} parameters`, `${given.length}`)
  }
  return given.map((value, at) => checked(sql, `parameter ${at + 1}`, value))
}

function byName(
  sql: string,
  names: readonly (string | undefined)[],
  given: { readonly [name: string]: QueryValue },
): SqlValue[] {
  return names.map((written) => {
    const name = written?.slice(1)
    if (name === undefined)
      throw invalidQuery(sql, "an array of values for parameters without names", "an object")
    if (!Object.hasOwn(given, name))
      throw invalidQuery(sql, `a value for :${name}`, Object.keys(given).join(", ") || "none")
    return checked(sql, `:${name}`, given[name])
  })
}

function checked(sql: string, place: string, value: unknown): SqlValue {
  if (typeof value === "boolean") return value ? 1 : 0
  if (value === null || typeof value === "number" || typeof value === "string") return value
  if (typeof value === "bigint" || value instanceof Uint8Array) return value
  const came = typeof value === "object" ? "an object" : typeof value
  throw invalidQuery(sql, `null, a boolean, a number, a bigint, a string or bytes for ${place}`, came)
}

function attempt<T>(sql: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof SqlFailure)) throw cause
    throw new HeadwaterError(
      "invalid-query",
      `The query ${quoted(sql)} fails. SQLite says: ${cause.message}`,
      { cause },
    )
  }
}

function invalidQuery(sql: string, expected: string, came: string): HeadwaterError {
  return new HeadwaterError("invalid-query", `The query ${quoted(sql)}: expected ${expected}; got ${came}.`)
}

function quoted(sql: string): string {
  return JSON.stringify(sql.length > 80 ? `${sql.slice(0, 80)}...` : sql)
}
