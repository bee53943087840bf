import {
  SQL_CONSTRAINT,
  SQL_ERROR,
  SQL_MISMATCH,
  SQL_TOO_BIG,
  type SqlDatabase,
  SqlFailure,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
} from "../../shared/sql.ts"
import { firstStatement, isWord, rewriteSql, scanSql } from "../../shared/sql-text.ts"
import { type ReadLimits, withinLimits } from "./read-limits.ts"

/*
 * A Durable Object's SQLite behind the port. What it does otherwise than the others, and is put right here:
 *
 * - It takes a text in double quotes that is no name for a string: names are written in backticks instead.
 * - It binds every number as REAL: whole numbers are cast, in the text, by a `+CAST(? AS INTEGER)`. The plus sign
 *   takes from the cast the affinity that a parameter has not, so that comparisons and indexes work as with one.
 * - It binds no bigint: those go as text through the same cast.
 * - It hands out every number as a double. Rows with whole numbers beyond the safe ones, which this rounds, are read
 *   once more, with their digits beside them. That costs those who have them a second run, and all others nothing.
 * - It writes half a surrogate pair as bytes that are no UTF-8.
 * - It has no BEGIN, and no way to compile a statement without running it: EXPLAIN does that.
 */

export type SqlStorage = Pick<DurableObjectStorage, "sql" | "transactionSync">

/** Columns that a row of an answer may have there. */
const COLUMNS_MAX = 100

/**
 * The database of a Durable Object. Transactions are its own: BEGIN and SAVEPOINT are refused, `atomically` is not.
 * Statements that write and answer rows (RETURNING) are refused as well.
 *
 * @throws BeyondLimits from `all` of a query, when limits are given.
 */
export function openDurableSqlite(storage: SqlStorage, limits?: ReadLimits): SqlDatabase {
  return {
    exec(sql) {
      translated(() => storage.sql.exec(withPlainNames(sql)).toArray())
    },
    prepare: (sql) => new DurableStatement(storage.sql, firstStatement(sql), limits),
    atomically: (work) => storage.transactionSync(work),
    close() {}, // it lives as long as its object
  }
}

/** A statement, its parameters written so that the values of one run keep their types. */
export class BoundText {
  /** How many values it takes. */
  readonly count: number
  readonly #plain: string
  readonly #written = new Map<number | string, string>()

  constructor(sql: string) {
    this.#plain = withPlainNames(sql)
    this.count = scanSql(sql).parameters.length
  }

  /** The text for these values. One text for each combination of types, which the object keeps compiled. */
  textFor(values: readonly SqlValue[]): string {
    const key = this.count <= KEY_BITS_MAX ? bitsOf(this.count, values) : listOf(this.count, values)
    if (key === 0) return this.#plain
    let text = this.#written.get(key)
    if (text === undefined) {
      text = this.#withCasts(values)
      this.#written.set(key, text)
    }
    return text
  }

  #withCasts(values: readonly SqlValue[]): string {
    const positions = new Map<string, number>()
    let highest = 0
    return rewriteSql(this.#plain, ({ kind, text }) => {
      if (kind !== "parameter") return undefined
      const number = /^\?([0-9]+)$/.exec(text)?.[1]
      const known = number === undefined ? positions.get(text) : Number(number)
      const position = known ?? highest + 1
      highest = Math.max(highest, position)
      if (text !== "?") positions.set(text, position)
      return isWhole(values[position - 1]) ? `(+CAST(?${position} AS INTEGER))` : `?${position}`
    })
  }
}

class DurableStatement implements SqlStatement {
  readonly #sql: SqlStorage["sql"]
  readonly #text: BoundText
  readonly #written: string
  readonly #answersRows: boolean
  /** Whether it can be a part of a larger query. */
  readonly #isQuery: boolean
  readonly #limits: ReadLimits | undefined
  #columns: readonly string[] | undefined

  constructor(sql: SqlStorage["sql"], text: string, limits: ReadLimits | undefined) {
    this.#sql = sql
    this.#written = text
    this.#text = new BoundText(text)
    const [first] = scanSql(text).tokens
    const isExplained = isWord(first, "EXPLAIN", "PRAGMA")
    const lines = isExplained ? [] : this.#raw("EXPLAIN ", [])
    const isWrite = lines.some(([, opcode, , p2]) => opcode === "Transaction" && p2 !== 0)
    this.#answersRows = isExplained || lines.some(([, opcode]) => opcode === "ResultRow")
    this.#isQuery = this.#answersRows && isWord(first, "SELECT", "VALUES", "WITH")
    this.#limits = this.#isQuery ? limits : undefined
    if (isWrite && this.#answersRows)
      throw new SqlFailure(SQL_ERROR, "a statement that writes answers no rows here: RETURNING is refused")
  }

  get columns(): readonly string[] {
    this.#columns ??= this.#answersRows ? this.#namesOfColumns() : []
    return this.#columns
  }

  run(values: readonly SqlValue[]): void {
    if (this.#answersRows) this.#raw("", values)
    else translated(() => this.#exec("", values)) // which is then done: there is nothing to read
  }

  all(values: readonly SqlValue[]): SqlRow[] {
    const rows = this.#raw("", values)
    const rounded = fromStorage(rows)
    return this.#isQuery && rounded.size > 0 ? this.#readExactly(rows, [...rounded], values) : rows
  }

  /** The object frees what it keeps compiled as it needs room. */
  finalize(): void {}

  /** Runs the statement, with a word in front of it. */
  #raw(word: string, values: readonly SqlValue[]): SqlValue[][] {
    return translated(() => this.#read(this.#exec(word, values)))
  }

  #read(cursor: SqlStorageCursor<Record<string, SqlStorageValue>>): SqlValue[][] {
    const rows = this.#limits === undefined ? [...cursor.raw()] : withinLimits(cursor, this.#limits)
    return rows as SqlValue[][] // `fromStorage` makes bytes of the buffers in them
  }

  #exec(word: string, values: readonly SqlValue[]) {
    return this.#sql.exec(word + this.#text.textFor(values), ...bindings(this.#text.count, values))
  }

  /**
   * Runs a query once more, with the digits of its whole numbers beside its rows: those of one run, since a query may
   * answer other rows each time. Where there is no room beside a row, digits are read alone.
   *
   * @param rounded The columns in which numbers were rounded.
   */
  #readExactly(rows: SqlValue[][], rounded: readonly number[], values: readonly SqlValue[]): SqlValue[][] {
    const names = (rows[0] ?? []).map((_, at) => `c${at}`)
    const isNarrow = 2 * names.length <= COLUMNS_MAX
    const columns = isNarrow ? names.map((_, at) => at) : rounded
    const beside = names.length + columns.length <= COLUMNS_MAX ? names : []
    const digits = columns.map((at) => `iif(typeof(c${at}) = 'integer', CAST(c${at} AS TEXT), NULL)`)
    const before = `WITH headwater_rows (${names.join(", ")}) AS MATERIALIZED (${this.#text.textFor(values)}\n)`
    const text = `${before} SELECT ${[...beside, ...digits].join(", ")} FROM headwater_rows`
    const again = translated(() => this.#read(this.#sql.exec(text, ...bindings(this.#text.count, values))))
    const exact = beside.length > 0 ? again.map((row) => row.slice(0, names.length)) : rows
    if (exact.length !== again.length)
      throw new SqlFailure(SQL_ERROR, "rows that are others each time have whole numbers beyond 2^53")
    for (const [at, row] of exact.entries()) {
      for (const [index, column] of columns.entries()) {
        const number = again[at]?.[beside.length + index]
        if (typeof number === "string") row[column] = wholeOf(number)
      }
    }
    fromStorage(exact)
    return exact
  }

  /** The query without its rows has the same columns, but that of two alike the later one is marked by a number. */
  #namesOfColumns(): readonly string[] {
    const nothing = bindings(this.#text.count, [])
    const text = this.#isQuery ? `SELECT * FROM (${this.#written}\n) LIMIT 0` : this.#written
    const marked = translated(() => this.#sql.exec(text, ...nothing).columnNames)
    const own = new Set(scanSql(this.#written).tokens.map((token) => token.text))
    return marked.map((name, at) => {
      const first = own.has(name) ? undefined : /^(.*):[0-9]+$/s.exec(name)?.[1]
      return first !== undefined && marked.slice(0, at).includes(first) ? first : name
    })
  }
}

function wholeOf(digits: string): number | bigint {
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number : BigInt(digits)
}

/** Which positions hold whole numbers, as bits. */
const KEY_BITS_MAX = 53

function bitsOf(count: number, values: readonly SqlValue[]): number {
  let bits = 0
  for (let at = 0; at < count; at++) bits = 2 * bits + (isWhole(values[at]) ? 1 : 0)
  return bits
}

function listOf(count: number, values: readonly SqlValue[]): string | 0 {
  const list = Array.from({ length: count }, (_, at) => (isWhole(values[at]) ? 1 : 0)).join("")
  return list.includes("1") ? list : 0
}

/** What is bound as INTEGER. */
function isWhole(value: SqlValue | undefined): boolean {
  return typeof value === "bigint" || Number.isSafeInteger(value)
}

/** The values of one run as the storage takes them, as many as there are parameters. */
export function bindings(count: number, values: readonly SqlValue[]): SqlStorageValue[] {
  const bound: SqlStorageValue[] = []
  for (let at = 0; at < count; at++) bound.push(toStorage(values[at] ?? null))
  return bound
}

function toStorage(value: SqlValue): SqlStorageValue {
  switch (typeof value) {
    case "bigint":
      return value.toString()
    case "string":
      return value.isWellFormed() ? value : value.toWellFormed()
    case "object":
      return value === null ? null : bufferOf(value)
    default:
      return value
  }
}

/** An object binds buffers, not views of a part of one. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
  const isWhole = bytes.byteLength === bytes.buffer.byteLength
  return (isWhole ? bytes.buffer : bytes.slice().buffer) as ArrayBuffer // nothing here is shared between threads
}

/** Makes bytes of buffers, in place. Answers which columns have whole numbers that may have been rounded. */
function fromStorage(rows: SqlValue[][]): Set<number> {
  const inexact = new Set<number>()
  for (const row of rows) {
    for (let at = 0; at < row.length; at++) {
      const value: unknown = row[at]
      if (value instanceof ArrayBuffer) row[at] = new Uint8Array(value)
      else if (Number.isInteger(value) && !Number.isSafeInteger(value)) inexact.add(at)
    }
  }
  return inexact
}

function withPlainNames(sql: string): string {
  return rewriteSql(sql, ({ kind, text }, written) =>
    kind === "name" && written.startsWith(`"`) ? `\`${text.replaceAll("`", "``")}\`` : undefined,
  )
}

const CODES: ReadonlyMap<string, number> = new Map([
  ["ERROR", SQL_ERROR],
  ["TOOBIG", SQL_TOO_BIG],
  ["CONSTRAINT", SQL_CONSTRAINT],
  ["MISMATCH", SQL_MISMATCH],
])

const INTERNAL = 2 // SQLite's own code for what nobody should see

/** SQLite's words are followed by where in the text it stumbled, and by the name of its code. */
const WORDS = /^(.*?)(?: at offset [0-9]+)?: SQLITE_([A-Z]+)(?: \(extended: [A-Z_0-9]+\))?$/s

/** Runs what may fail, and turns a refusal of SQLite into one of the port. */
export function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    const [, message, code] = (cause instanceof Error && WORDS.exec(cause.message)) || []
    if (message === undefined || code === undefined) throw cause
    throw new SqlFailure(CODES.get(code) ?? INTERNAL, message)
  }
}
