import { COMMON_LIMITS, VIEW_LIMITS } from "../common-limits.ts"
import { HeadwaterError } from "../errors.ts"
import {
  type Authorizer,
  QueryStopped,
  SQL_NOT_AUTHORIZED,
  SQL_TOO_BIG,
  type SqlDatabase,
  SqlFailure,
  type SqlQuery,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
} from "../sql.ts"
import { isWord, scanSql } from "../sql-text.ts"
import { type Catalog, type Program, readProgram } from "./program.ts"
import { faultOf, type QueryScope, refusalOf, scopeOf, valueBytesMax } from "./query-rules.ts"
import { copiesExpected, copiesOf } from "./with-parts.ts"

/** What a query's parameters get: by position, or by name without its `:`. Booleans are 1 and 0. */
export type QueryParameters = readonly QueryValue[] | { readonly [name: string]: QueryValue }
export type QueryValue = SqlValue | boolean

export type QueryOptions = {
  /** How long the query may run. Nothing else is folded or told meanwhile. */
  readonly timeoutMs?: number
}

/** A query that reads and does nothing else. */
export type CompiledQuery = {
  readonly sql: string
  readonly columns: readonly string[]
  /** The tables that its rows come from. */
  readonly tables: ReadonlySet<string>
  /**
   * @param ms How long it may run, where the engine can tell.
   * @throws HeadwaterError `invalid-query` when the parameters do not fit or SQLite fails while it runs;
   * `query-timeout`; `query-too-large`.
   */
  rows(parameters: QueryParameters, ms?: number): SqlRow[]
  /** Frees it. Idempotent. */
  close(): void
}

/**
 * Compiles a query and makes sure that it reads the view's tables and does nothing else. Its first word must be SELECT,
 * VALUES or WITH, since a PRAGMA takes effect while it is compiled. Then SQLite's authorizer decides, where there is
 * one, and everywhere the program that SQLite compiled it into: `query-rules.ts` has both rules.
 *
 * @param catalog Of a database that has the tables of one view.
 * @throws HeadwaterError `invalid-query` that names what was expected and what came; `query-timeout` when compiling
 * alone takes too long.
 */
export function compileQuery(database: SqlDatabase, catalog: Catalog, sql: string): CompiledQuery {
  const text = scanSql(sql)
  if (text.fault !== undefined) throw invalidQuery(sql, "SQL", `a text that cannot be read ${text.fault}`)
  if (text.tokens.length === 0) throw invalidQuery(sql, "one statement", "none")
  if (text.hasMore) throw invalidQuery(sql, "one statement", "several")
  if (sql.length > VIEW_LIMITS.sqlLengthMax)
    throw invalidQuery(sql, `at most ${VIEW_LIMITS.sqlLengthMax} characters`, `${sql.length}`)
  const copies = copiesOf(text.tokens)
  if (copies > VIEW_LIMITS.sqlCopiesMax) throw invalidQuery(sql, copiesExpected(), `${copies} copies`)
  if (!isWord(text.tokens[0], "SELECT", "VALUES", "WITH")) {
    throw invalidQuery(sql, "SELECT, VALUES or WITH", text.tokens[0]?.text ?? "nothing")
  }
  const scope = scopeOf(catalog)
  return attempt(sql, () => {
    const query = database.prepareQuery?.(sql, authorizerOf(scope), COMMON_LIMITS.deviceQueryMsDefault)
    try {
      const program = readProgram(database, catalog, sql)
      const fault = faultOf(scope, program)
      if (fault !== undefined) throw invalidQuery(sql, READS_ONLY, fault)
      return opened(query ?? unguarded(database.prepare(sql)), program, sql, text.parameters)
    } catch (cause) {
      query?.finalize()
      throw cause
    }
  })
}

const READS_ONLY = "a query that only reads tables of the view"

function authorizerOf(scope: QueryScope): Authorizer {
  return (phase, asked) => refusalOf(scope, phase, asked)
}

/** A query of an engine that has neither authorizer nor bounds, or has bounds of its own. */
function unguarded(statement: SqlStatement): SqlQuery {
  return {
    columns: statement.columns,
    all: (values) => statement.all(values),
    finalize: () => statement.finalize(),
  }
}

function opened(
  query: SqlQuery,
  program: Program,
  sql: string,
  names: readonly (string | undefined)[],
): CompiledQuery {
  const bounds = {
    rowsMax: VIEW_LIMITS.deviceQueryRowsMax,
    bytesMax: VIEW_LIMITS.deviceQueryBytesMax,
    valueBytesMax: valueBytesMax(program.calls),
    memoryBytesMax: VIEW_LIMITS.deviceQueryMemoryBytesMax,
  }
  return {
    sql,
    columns: query.columns,
    tables: program.reads,
    rows(parameters, ms = COMMON_LIMITS.deviceQueryMsDefault) {
      const values = isList(parameters) ? byPosition(sql, names, parameters) : byName(sql, names, parameters)
      return attempt(sql, () => query.all(values, { ...bounds, ms }), bounds.valueBytesMax)
    },
    close: () => query.finalize(),
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

function attempt<T>(sql: string, work: () => T, valueBytes: number = VIEW_LIMITS.sqlValueBytesMax): T {
  try {
    return work()
  } catch (cause) {
    const what = `The query ${quoted(sql)}`
    if (cause instanceof QueryStopped) {
      const code = cause.bound === "time" ? "query-timeout" : "query-too-large"
      throw new HeadwaterError(code, `${what}: expected ${cause.message}.`, { cause })
    }
    if (!(cause instanceof SqlFailure)) throw cause
    if (cause.code === SQL_NOT_AUTHORIZED) throw invalidQuery(sql, READS_ONLY, cause.message)
    if (cause.code === SQL_TOO_BIG) {
      const message = `${what}: expected values of at most ${valueBytes} bytes; a larger one came.`
      throw new HeadwaterError("query-too-large", message, { cause })
    }
    throw new HeadwaterError("invalid-query", `${what} fails. SQLite says: ${cause.message}`, { cause })
  }
}

function invalidQuery(sql: string, expected: string, came: string): HeadwaterError {
  return new HeadwaterError("invalid-query", `The query ${quoted(sql)}: expected ${expected}; got ${came}.`)
}

function quoted(sql: string): string {
  return JSON.stringify(sql.length > 80 ? `${sql.slice(0, 80)}...` : sql)
}
