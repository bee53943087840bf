/** What SQLite stores. Whole numbers that a double holds exactly are `number`, larger ones `bigint`. */
export type SqlValue = null | number | bigint | string | Uint8Array

/** One row by column position. */
export type SqlRow = readonly SqlValue[]

/**
 * One SQLite database, synchronous. The browser's WASM build, Node's own SQLite and a Durable Object's
 * storage each implement it under one suite (`test/contract/sql-database.ts`), so whatever is written against
 * it gives the same rows in all of them. Double-quoted text is a name and never a string. Not all of them have BEGIN:
 * what a Durable Object runs is in a transaction anyway. `atomically` is there in all.
 */
export interface SqlDatabase {
  /** Runs one or several statements and drops their rows. @throws SqlFailure */
  exec(sql: string): void
  /** Compiles the first statement of `sql`; whatever follows it is not looked at. @throws SqlFailure */
  prepare(sql: string): SqlStatement
  /**
   * Compiles the first statement of `sql` under an authorizer, and runs it within bounds. Nothing that the authorizer
   * refuses is done, not by extensions either while the query runs. Absent where the engine has no authorizer.
   *
   * @throws SqlFailure of the code `SQL_NOT_AUTHORIZED` with the authorizer's words; any other when it does not
   * compile.
   * @throws QueryStopped when compiling takes longer than `ms`.
   */
  prepareQuery?(sql: string, authorizer: Authorizer, ms: number): SqlQuery
  /** Runs `work`; when it throws, what it wrote is undone and the error goes on. May be nested. */
  atomically<T>(work: () => T): T
  /** Idempotent. Statements that are still open are of no use afterwards. */
  close(): void
}

/**
 * One compiled statement. Values bind by position, parameters being numbered as SQLite numbers them
 * (`scanSql` says how); a position without a value is NULL. Whole numbers within the safe range bind as
 * INTEGER and all others as REAL, a `bigint` as INTEGER, text with every character it has (half a surrogate
 * pair becomes U+FFFD).
 */
export interface SqlStatement {
  /** The names of the columns of its rows; none for a statement that answers no rows. */
  readonly columns: readonly string[]
  /** Runs to the end and drops the rows. @throws SqlFailure */
  run(values: readonly SqlValue[]): void
  /** Runs to the end and returns all rows. @throws SqlFailure */
  all(values: readonly SqlValue[]): SqlRow[]
  /** Frees it. Idempotent. */
  finalize(): void
}

/** A compiled statement of somebody who may only read. Values bind as those of a `SqlStatement`. */
export interface SqlQuery {
  readonly columns: readonly string[]
  /**
   * Runs to the end and returns all rows.
   *
   * @throws SqlFailure
   * @throws QueryStopped when it comes to a bound. It may be run again.
   */
  all(values: readonly SqlValue[], bounds: QueryBounds): SqlRow[]
  /** Frees it. Idempotent. */
  finalize(): void
}

/** What one run of a query may come to. Engines that cannot look into a running statement look at each row. */
export type QueryBounds = {
  readonly ms: number
  readonly rowsMax: number
  /** Of all rows, roughly. */
  readonly bytesMax: number
  /** Of one value, in between as well. */
  readonly valueBytesMax: number
  /** What SQLite may take for it. */
  readonly memoryBytesMax: number
}

/** A query was stopped at one of its bounds, and left nothing behind. The message says at which. */
export class QueryStopped extends Error {
  override readonly name = "QueryStopped"
  readonly bound: "time" | "size"

  constructor(bound: "time" | "size", message: string) {
    super(message)
    this.bound = bound
  }
}

/** Why an action is refused, in words that follow "got"; undefined when it is allowed. */
export type Authorizer = (phase: QueryPhase, asked: AskedAction) => string | undefined

/** `running`: extensions compile statements of their own then. */
export type QueryPhase = "compiling" | "running"

/** What SQLite asks its authorizer. What `first` and `second` name depends on the action. */
export type AskedAction = {
  readonly action: number
  readonly first: string | undefined
  readonly second: string | undefined
  readonly database: string | undefined
}

/** `SqlDatabase.atomically` where SQL can do it. */
export function withSavepoint<T>(database: Pick<SqlDatabase, "exec">, work: () => T): T {
  database.exec("SAVEPOINT attempt")
  try {
    const result = work()
    database.exec("RELEASE attempt")
    return result
  } catch (cause) {
    database.exec("ROLLBACK TO attempt; RELEASE attempt")
    throw cause
  }
}

/** Primary result codes of SQLite that this project tells apart. */
export const SQL_ERROR = 1
export const SQL_TOO_BIG = 18
export const SQL_CONSTRAINT = 19
export const SQL_MISMATCH = 20
export const SQL_NOT_AUTHORIZED = 23

/** SQLite refused. `code` is its primary result code, the message its own. */
export class SqlFailure extends Error {
  override readonly name = "SqlFailure"
  readonly code: number

  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }

  /**
   * Whether the statement and its values alone are to blame, so that it fails alike on every device. The
   * others (no memory, a corrupt file, an interrupt) say nothing about the event.
   */
  get isDeterministic(): boolean {
    return [SQL_ERROR, SQL_TOO_BIG, SQL_CONSTRAINT, SQL_MISMATCH].includes(this.code)
  }
}
