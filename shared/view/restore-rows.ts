import { assert } from "../assert.ts"
import type { SqlDatabase, SqlStatement, SqlValue } from "../sql.ts"
import { writtenColumns } from "./snapshot.ts"
import { quoteName } from "./state-hash.ts"
import type { OwnedTable } from "./tables.ts"

/** Statements that are kept compiled: one for each combination of values that do not bind as they are. */
const STATEMENTS_MAX = 64

/** What stands for a value in a statement: itself, or a cast where no value of JavaScript binds as it. */
type Slot = "?" | "CAST(? AS REAL)" | "CAST(? AS TEXT)"
type Cell = { readonly value: SqlValue; readonly slot: Slot }

/**
 * Puts rows back that were written down as lines, in the order in which they come. The table has none of them yet, and
 * whoever asks holds the transaction.
 */
export class RowRestorer {
  readonly #database: SqlDatabase
  readonly #table: string
  readonly #columns: readonly string[]
  /** Which cells of a line are stored: generated columns are not. */
  readonly #stored: readonly number[]
  readonly #statements = new Map<string, SqlStatement>()

  constructor(database: SqlDatabase, table: OwnedTable) {
    this.#database = database
    this.#table = table.name
    const all = writtenColumns(table)
    const generated = table.kind === "fts5" ? new Set() : generatedColumns(database, table.name)
    this.#stored = [...all.keys()].filter((at) => !generated.has(all[at]))
    this.#columns = this.#stored.map((at) => quoteName(all[at] ?? ""))
  }

  /** @throws SqlFailure when a line is no row of this table. */
  insert(line: string): void {
    const cells = line.split(",")
    const values: SqlValue[] = []
    let isPlain = true
    const slots: Slot[] = []
    for (const at of this.#stored) {
      const { value, slot } = readCell(cells[at] ?? "")
      values.push(value)
      slots.push(slot)
      isPlain &&= slot === "?"
    }
    this.#statement(isPlain ? "" : slots.join(), slots).run(values)
  }

  /** Frees what was compiled. Idempotent. */
  close(): void {
    for (const statement of this.#statements.values()) statement.finalize()
    this.#statements.clear()
  }

  #statement(key: string, slots: readonly Slot[]): SqlStatement {
    const known = this.#statements.get(key)
    if (known !== undefined) return known
    if (this.#statements.size >= STATEMENTS_MAX) this.close()
    const into = `${quoteName(this.#table)} (${this.#columns.join(", ")})`
    const statement = this.#database.prepare(`INSERT INTO ${into} VALUES (${slots.join(", ")})`)
    this.#statements.set(key, statement)
    return statement
  }
}

function generatedColumns(database: SqlDatabase, table: string): Set<unknown> {
  const statement = database.prepare(`PRAGMA table_xinfo(${quoteName(table)})`)
  try {
    const rows = statement.all([])
    const [name, hidden] = ["name", "hidden"].map((column) => statement.columns.indexOf(column))
    return new Set(rows.filter((row) => row[hidden ?? -1] !== 0).map((row) => row[name ?? -1]))
  } finally {
    statement.finalize()
  }
}

/** The other way round of what `state-hash.ts` writes. */
function readCell(cell: string): Cell {
  const kind = cell[0]
  if (kind === "n") return { value: null, slot: "?" }
  if (kind === "i") return { value: readInteger(cell), slot: "?" }
  if (kind === "r") return readReal(cell)
  if (kind === "t") return readText(cell)
  assert(kind === "b", `a cell of a row begins with its type: ${cell.slice(0, 20)}`)
  return { value: bytesOf(cell), slot: "?" }
}

function readInteger(cell: string): number | bigint {
  const number = Number(cell.slice(1))
  return Number.isSafeInteger(number) ? number : BigInt(cell.slice(1))
}

const bits = new DataView(new ArrayBuffer(8))

/** A real without a fraction would bind as an INTEGER. As text it is cast to the very same real. */
function readReal(cell: string): Cell {
  bits.setUint32(0, Number.parseInt(cell.slice(1, 9), 16))
  bits.setUint32(4, Number.parseInt(cell.slice(9), 16))
  const real = bits.getFloat64(0)
  if (!Number.isSafeInteger(real)) return { value: real, slot: "?" }
  return { value: Object.is(real, -0) ? "-0.0" : `${real}.0`, slot: "CAST(? AS REAL)" }
}

/** Beyond ASCII the bytes are bound as they are: those of SQLite's own functions may be no UTF-8. */
function readText(cell: string): Cell {
  let text = ""
  for (let at = 1; at < cell.length; at += 2) {
    const byte = byteAt(cell, at)
    if (byte >= 0x80) return { value: bytesOf(cell), slot: "CAST(? AS TEXT)" }
    text += String.fromCharCode(byte)
  }
  return { value: text, slot: "?" }
}

function bytesOf(cell: string): Uint8Array {
  const bytes = new Uint8Array((cell.length - 1) / 2)
  for (let at = 0; at < bytes.length; at++) bytes[at] = byteAt(cell, 1 + 2 * at)
  return bytes
}

function byteAt(cell: string, at: number): number {
  return 16 * digitOf(cell.charCodeAt(at)) + digitOf(cell.charCodeAt(at + 1))
}

/** Of hexadecimal digits in upper case. */
function digitOf(code: number): number {
  return code < 0x40 ? code - 0x30 : code - 0x37
}
