import { assert } from "../../shared/assert.ts"
import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from "../../shared/sql.ts"

/** What an object of ours runs again and again beside the statements of a view. Each text is compiled once. */
export class Statements {
  readonly database: SqlDatabase
  readonly #compiled = new Map<string, SqlStatement>()

  constructor(database: SqlDatabase) {
    this.database = database
  }

  run(sql: string, ...values: SqlValue[]): void {
    this.#statement(sql).run(values)
  }

  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.#statement(sql).all(values)
  }

  hasTable(name: string): boolean {
    return this.all("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", name).length > 0
  }

  #statement(sql: string): SqlStatement {
    let statement = this.#compiled.get(sql)
    if (statement === undefined) {
      statement = this.database.prepare(sql)
      this.#compiled.set(sql, statement)
    }
    return statement
  }
}

/** A column that holds text. */
export function textAt(row: SqlRow | undefined, at: number): string {
  const value = row?.[at]
  assert(typeof value === "string", "a column of text holds text")
  return value
}

/** A column that holds whole numbers. */
export function wholeAt(row: SqlRow | undefined, at: number): number {
  const value = row?.[at]
  assert(typeof value === "number", "a column of numbers holds numbers")
  return value
}
