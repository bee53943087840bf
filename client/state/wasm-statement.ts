import type { AnswerMeter } from "../../shared/answer-meter.ts"
import { assert } from "../../shared/assert.ts"
import { SqlFailure, type SqlRow, type SqlStatement, type SqlValue } from "../../shared/sql.ts"
import type { WasmMemory } from "./wasm-memory.ts"

const ROW = 100
const DONE = 101
const INTEGER = 1
const FLOAT = 2
const TEXT = 3
const BLOB = 4

/**
 * A statement driven through the build's raw exports. The object API that comes with the build takes four
 * times as long for a bound insert; folding a log is little else.
 */
export class WasmStatement implements SqlStatement {
  readonly columns: readonly string[]
  readonly #memory: WasmMemory
  readonly #database: number
  readonly #parameterCount: number
  #handle: number

  constructor(memory: WasmMemory, database: number, handle: number) {
    const { api } = memory
    this.#memory = memory
    this.#database = database
    this.#handle = handle
    this.#parameterCount = api.sqlite3_bind_parameter_count(handle)
    const count = api.sqlite3_column_count(handle)
    this.columns = Array.from({ length: count }, (_, at) =>
      memory.readName(api.sqlite3_column_name(handle, at)),
    )
  }

  run(values: readonly SqlValue[]): void {
    const { api } = this.#memory
    this.#bind(values)
    let code = api.sqlite3_step(this.#handle)
    while (code === ROW) code = api.sqlite3_step(this.#handle)
    this.#end(code)
  }

  /** @param meter Throws when the rows are too many. */
  all(values: readonly SqlValue[], meter?: AnswerMeter): SqlRow[] {
    const { api } = this.#memory
    this.#bind(values)
    const rows: SqlRow[] = []
    let code = api.sqlite3_step(this.#handle)
    try {
      for (; code === ROW; code = api.sqlite3_step(this.#handle)) {
        const row = this.#row()
        meter?.add(row)
        rows.push(row)
      }
    } catch (cause) {
      api.sqlite3_reset(this.#handle)
      throw cause
    }
    this.#end(code)
    return rows
  }

  finalize(): void {
    if (this.#handle !== 0) this.#memory.api.sqlite3_finalize(this.#handle)
    this.#handle = 0
  }

  #bind(values: readonly SqlValue[]): void {
    assert(this.#handle !== 0, "a finalized statement is not run")
    assert(values.length <= this.#parameterCount, "a statement gets no more values than it has parameters")
    this.#memory.startRun()
    for (let at = 0; at < this.#parameterCount; at++) this.#bindOne(at + 1, values[at] ?? null)
  }

  #bindOne(position: number, value: SqlValue): void {
    const { api } = this.#memory
    if (typeof value === "string") this.#memory.bindText(this.#handle, position, value)
    else if (typeof value === "number") this.#bindNumber(position, value)
    else if (value === null) api.sqlite3_bind_null(this.#handle, position)
    else if (typeof value === "bigint") api.sqlite3_bind_int64(this.#handle, position, value)
    else this.#memory.bindBlob(this.#handle, position, value)
  }

  #bindNumber(position: number, value: number): void {
    const { api } = this.#memory
    if ((value | 0) === value) api.sqlite3_bind_int(this.#handle, position, value)
    else if (Number.isSafeInteger(value)) api.sqlite3_bind_int64(this.#handle, position, BigInt(value))
    else api.sqlite3_bind_double(this.#handle, position, value)
  }

  #row(): SqlValue[] {
    const row: SqlValue[] = []
    for (let column = 0; column < this.columns.length; column++) row.push(this.#read(column))
    return row
  }

  #read(column: number): SqlValue {
    const { api } = this.#memory
    switch (api.sqlite3_column_type(this.#handle, column)) {
      case INTEGER: {
        const value = api.sqlite3_column_double(this.#handle, column) // no bigint for the numbers that occur
        return Number.isSafeInteger(value) ? value : api.sqlite3_column_int64(this.#handle, column)
      }
      case FLOAT:
        return api.sqlite3_column_double(this.#handle, column)
      case TEXT: {
        const pointer = api.sqlite3_column_text(this.#handle, column) // first the text, then its length
        return this.#memory.readText(pointer, api.sqlite3_column_bytes(this.#handle, column))
      }
      case BLOB: {
        const pointer = api.sqlite3_column_blob(this.#handle, column)
        return this.#memory.readBlob(pointer, api.sqlite3_column_bytes(this.#handle, column))
      }
      default:
        return null
    }
  }

  /** Makes the statement ready for its next run: an unfinished one would block every ROLLBACK. */
  #end(code: number): void {
    const { api } = this.#memory
    api.sqlite3_reset(this.#handle)
    if (code !== DONE)
      throw new SqlFailure(code & 0xff, this.#memory.readName(api.sqlite3_errmsg(this.#database)))
  }
}
