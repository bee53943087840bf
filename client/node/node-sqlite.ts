import { constants, DatabaseSync, type StatementSync } from "node:sqlite"
import { AnswerMeter } from "../../shared/answer-meter.ts"
import { VIEW_LIMITS } from "../../shared/common-limits.ts"
import {
  type Authorizer,
  type QueryBounds,
  type QueryPhase,
  QueryStopped,
  SQL_NOT_AUTHORIZED,
  SqlFailure,
  type SqlQuery,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
  withSavepoint,
} from "../../shared/sql.ts"
import { scanSql } from "../../shared/sql-text.ts"
import type { LocalDatabase } from "../host.ts"

/** The port on Node's own SQLite: a database in memory, empty, or as its `image` was. */
export function openNodeSqlite(image?: Uint8Array<ArrayBuffer>): LocalDatabase {
  const database = new DatabaseSync(":memory:")
  if (image !== undefined) (database as ImagedSync).deserialize(image) // Node has it; its types do not yet
  return new NodeDatabase(database)
}

type ImagedSync = DatabaseSync & {
  serialize(): Uint8Array
  deserialize(image: Uint8Array): void
}

type Watch = {
  readonly authorizer: Authorizer
  readonly phase: QueryPhase
  refusal: string | undefined
}

class NodeDatabase implements LocalDatabase {
  readonly #database: DatabaseSync
  #isGuarded = false
  #watched: Watch | undefined

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#database.exec("PRAGMA foreign_keys = OFF") // SQLite's own default, which Node changes
    if (database.limits === undefined) return // older Nodes
    database.limits.length = VIEW_LIMITS.sqlValueBytesMax
    database.limits.likePatternLength = VIEW_LIMITS.sqlPatternBytesMax
  }

  exec(sql: string): void {
    translated(() => this.#database.exec(sql))
  }

  prepare(sql: string): NodeStatement {
    return translated(() => new NodeStatement(this.#database.prepare(sql), scanSql(sql).parameters))
  }

  /** Looks at the clock when there is a row: Node has no way into a statement that runs. */
  prepareQuery(sql: string, authorizer: Authorizer, ms: number): SqlQuery {
    const watch = <T>(phase: QueryPhase, work: () => T): T => this.#watch(authorizer, phase, work)
    const start = performance.now()
    const statement = watch("compiling", () => this.prepare(sql))
    if (performance.now() - start > ms) throw tooLong(ms)
    return {
      columns: statement.columns,
      all: (values, bounds) =>
        watch("running", () =>
          this.#withLength(bounds.valueBytesMax, () => statement.allWithin(values, bounds)),
        ),
      finalize: () => statement.finalize(),
    }
  }

  atomically<T>(work: () => T): T {
    return withSavepoint(this, work)
  }

  image(): Uint8Array<ArrayBuffer> {
    return new Uint8Array((this.#database as ImagedSync).serialize()) // as above
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }

  #withLength<T>(valueBytesMax: number, work: () => T): T {
    const { limits } = this.#database
    if (limits === undefined) return work() // as above
    limits.length = valueBytesMax
    try {
      return work()
    } finally {
      limits.length = VIEW_LIMITS.sqlValueBytesMax
    }
  }

  /** The authorizer stays: SQLite compiles all statements anew when it changes. */
  #watch<T>(authorizer: Authorizer, phase: QueryPhase, work: () => T): T {
    if (!this.#isGuarded) this.#database.setAuthorizer?.((...asked) => this.#authorize(...asked))
    this.#isGuarded = true
    const watch: Watch = { authorizer, phase, refusal: undefined }
    this.#watched = watch
    try {
      return work()
    } catch (cause) {
      if (watch.refusal === undefined) throw cause
      throw new SqlFailure(SQL_NOT_AUTHORIZED, watch.refusal)
    } finally {
      this.#watched = undefined
    }
  }

  #authorize(action: number, ...names: (string | null)[]): number {
    const watch = this.#watched
    if (watch === undefined) return constants.SQLITE_OK
    const [first, second, database] = names.map((name) => name ?? undefined)
    const words = watch.authorizer(watch.phase, { action, first, second, database })
    watch.refusal ??= words
    return words === undefined ? constants.SQLITE_OK : constants.SQLITE_DENY
  }
}

class NodeStatement implements SqlStatement {
  readonly columns: readonly string[]
  readonly #statement: StatementSync
  readonly #parameters: readonly (string | undefined)[]

  constructor(statement: StatementSync, parameters: readonly (string | undefined)[]) {
    statement.setReadBigInts(true)
    statement.setReturnArrays(true)
    statement.setAllowBareNamedParameters(false) // `:a` and `@a` are two parameters
    this.columns = statement.columns().map((column) => column.name)
    this.#statement = statement
    this.#parameters = parameters
  }

  run(values: readonly SqlValue[]): void {
    translated(() => this.#statement.run(...this.#arguments(values)))
  }

  all(values: readonly SqlValue[]): SqlRow[] {
    const rows = translated(() => this.#statement.all(...this.#arguments(values)))
    return rows.map((row) => Array.from(row as unknown as SqlRow, fromNode)) // arrays, as asked for above
  }

  allWithin(values: readonly SqlValue[], bounds: QueryBounds): SqlRow[] {
    const meter = new AnswerMeter(bounds)
    const until = performance.now() + bounds.ms
    const rows: SqlRow[] = []
    try {
      for (const found of this.#statement.iterate(...this.#arguments(values))) {
        const row = Array.from(found as unknown as SqlRow, fromNode) // as above
        meter.add(row)
        if (performance.now() > until) throw tooLong(bounds.ms)
        rows.push(row)
      }
      return rows
    } catch (cause) {
      this.#forgetFailure()
      return translated(() => {
        throw cause
      })
    }
  }

  /** After a failure Node throws it once more, instead of iterating anew. */
  #forgetFailure(): void {
    try {
      this.#statement.iterate()
    } catch {
      // which was to be forgotten
    }
  }

  /** Node frees it with the last reference. */
  finalize(): void {}

  /** Node binds names through an object, and what has no name by position. */
  #arguments(values: readonly SqlValue[]): [Record<string, SqlValue>, ...SqlValue[]] {
    const named: Record<string, SqlValue> = {}
    const unnamed: SqlValue[] = []
    for (const [at, name] of this.#parameters.entries()) {
      const value = toNode(values[at] ?? null)
      if (name === undefined) unnamed.push(value)
      else named[name] = value
    }
    return [named, ...unnamed]
  }
}

function tooLong(ms: number): QueryStopped {
  return new QueryStopped("time", `at most ${ms} ms; it takes longer`)
}

/** Node binds every `number` as REAL. */
function toNode(value: SqlValue): SqlValue {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value
}

function fromNode(value: SqlValue): SqlValue {
  if (typeof value !== "bigint") return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof Error) || !("errcode" in cause)) throw cause
    throw new SqlFailure(Number(cause.errcode) & 0xff, cause.message)
  }
}
