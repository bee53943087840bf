import { DatabaseSync, type StatementSync } from "node:sqlite"
import { LIMITS } from "../../shared/limits.ts"
import { SqlFailure, type SqlRow, type SqlStatement, type SqlValue } from "../../shared/sql.ts"
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

class NodeDatabase implements LocalDatabase {
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#database.exec("PRAGMA foreign_keys = OFF") // SQLite's own default, which Node changes
    if (database.limits !== undefined) database.limits.length = LIMITS.sqlValueBytesMax // newer Nodes have it
  }

  exec(sql: string): void {
    translated(() => this.#database.exec(sql))
  }

  prepare(sql: string): SqlStatement {
    return translated(() => new NodeStatement(this.#database.prepare(sql), scanSql(sql).parameters))
  }

  atomically<T>(work: () => T): T {
    this.exec("SAVEPOINT attempt")
    try {
      const result = work()
      this.exec("RELEASE attempt")
      return result
    } catch (cause) {
      this.exec("ROLLBACK TO attempt; RELEASE attempt")
      throw cause
    }
  }

  image(): Uint8Array<ArrayBuffer> {
    return new Uint8Array((this.#database as ImagedSync).serialize()) // as above
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
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
