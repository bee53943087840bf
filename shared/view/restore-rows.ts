import { assert } from "../assert.ts"
import type { SqlDatabase, SqlStatement, SqlValue } from "../sql.ts"
import { writtenColumns } from "./snapshot.ts"
import { quoteName } from "./state-hash.ts"
import type { OwnedTable } from "./tables.ts"

/** Statements that are kept compiled: one for each combination of values that do not bind as they are. */
const STATEMENTS_MAX = 64

/** What stands in a statement for a value that binds as it is. */
const PLAIN = "?"
/** What stands for one that no value of JavaScript binds as. */
const REAL_OF_TEXT = "CAST(? AS REAL)"
const TEXT_OF_BYTES = "CAST(? AS TEXT)"

type Slot = typeof PLAIN | typeof REAL_OF_TEXT | typeof TEXT_OF_BYTES

type Column = {
  /** Which cell of a line. */
  readonly at: number
  readonly name: string
  /** Whatever number is bound becomes a REAL there. */
  readonly isReal: boolean
}

/**
 * Puts rows back that were written down as lines, in the order in which they come. The table has none of them yet, and
 * whoever asks holds the transaction.
 */
export class RowRestorer {
  readonly #database: SqlDatabase
  readonly #table: string
  /** Those that are stored: generated ones are not. */
  readonly #columns: readonly Column[]
  readonly #statements = new Map<string, SqlStatement>()
  #plain: SqlStatement | undefined
  /** Of the line at hand. */
  readonly #values: SqlValue[] = []
  readonly #slots: Slot[] = []

  constructor(database: SqlDatabase, table: OwnedTable) {
    this.#database = database
    this.#table = table.name
    const known = table.kind === "fts5" ? new Map<unknown, Kind>() : columnKinds(database, table.name)
    this.#columns = [...writtenColumns(table).entries()].flatMap(([at, name]) => {
      const { isGenerated = false, isReal = false } = known.get(name) ?? {}
      return isGenerated ? [] : [{ at, name: quoteName(name), isReal }]
    })
  }

  /**
   * Puts back the row whose line begins at a place of a text. Answers where the next line begins: behind the text, when
   * this was the last.
   *
   * @throws SqlFailure when the line is no row of this table.
   */
  insert(text: string, from: number): number {
    let at = from
    let cell = 0
    let isPlain = true
    for (const [index, column] of this.#columns.entries()) {
      for (; cell < column.at; cell++) at = endOfCell(text, at) + 1 // generated
      const end = endOfCell(text, at)
      const slot = this.#read(text, at, end, index, column.isReal)
      this.#slots[index] = slot
      isPlain &&= slot === PLAIN
      at = end + 1
      cell++
    }
    while (at <= text.length && text.charCodeAt(at - 1) === COMMA) at = endOfCell(text, at) + 1
    const statement = isPlain ? this.#plainStatement() : this.#statement(this.#slots.join())
    statement.run(this.#values)
    return at
  }

  /** Frees what was compiled. Idempotent. */
  close(): void {
    for (const statement of this.#statements.values()) statement.finalize()
    this.#statements.clear()
    this.#plain?.finalize()
    this.#plain = undefined
  }

  /** Reads a cell: the other way round of what `state-hash.ts` writes. */
  #read(text: string, from: number, end: number, index: number, isReal: boolean): Slot {
    switch (text.charCodeAt(from)) {
      case 0x6e: // n
        this.#values[index] = null
        return PLAIN
      case 0x69: // i
        this.#values[index] = readInteger(text, from + 1, end)
        return PLAIN
      case 0x72: // r
        return this.#readReal(text, from + 1, index, isReal)
      case 0x74: // t
        return this.#readText(text, from + 1, end, index)
      default:
        assert(text[from] === "b", `a cell of a row begins with its type: ${text.slice(from, from + 20)}`)
        this.#values[index] = bytesOf(text, from + 1, end)
        return PLAIN
    }
  }

  /** A real without a fraction would bind as an INTEGER. As text it is cast to the very same real. */
  #readReal(text: string, from: number, index: number, isReal: boolean): Slot {
    bits.setUint32(0, readHex(text, from))
    bits.setUint32(4, readHex(text, from + 8))
    const real = bits.getFloat64(0)
    const isZeroBelow = Object.is(real, -0)
    const bindsAsIs = !Number.isSafeInteger(real) || (isReal && !isZeroBelow)
    this.#values[index] = bindsAsIs ? real : isZeroBelow ? "-0.0" : `${real}.0`
    return bindsAsIs ? PLAIN : REAL_OF_TEXT
  }

  /** Beyond ASCII the bytes are bound as they are: those of SQLite's own functions may be no UTF-8. */
  #readText(text: string, from: number, end: number, index: number): Slot {
    let read = ""
    for (let at = from; at < end; at += 2) {
      const byte = byteAt(text, at)
      if (byte >= 0x80) {
        this.#values[index] = bytesOf(text, from, end)
        return TEXT_OF_BYTES
      }
      read += ASCII[byte]
    }
    this.#values[index] = read
    return PLAIN
  }

  #plainStatement(): SqlStatement {
    this.#plain ??= this.#prepare(this.#columns.map(() => PLAIN).join())
    return this.#plain
  }

  #statement(slots: string): SqlStatement {
    const known = this.#statements.get(slots)
    if (known !== undefined) return known
    if (this.#statements.size >= STATEMENTS_MAX) this.close()
    const statement = this.#prepare(slots)
    this.#statements.set(slots, statement)
    return statement
  }

  #prepare(slots: string): SqlStatement {
    const names = this.#columns.map(({ name }) => name).join()
    return this.#database.prepare(`INSERT INTO ${quoteName(this.#table)} (${names}) VALUES (${slots})`)
  }
}

type Kind = { readonly isGenerated: boolean; readonly isReal: boolean }

/** https://www.sqlite.org/datatype3.html, section 3.1: which declarations make every number a REAL. */
const REAL_TYPE = /REAL|FLOA|DOUB/i
const OTHER_TYPE = /INT|CHAR|CLOB|TEXT|BLOB/i

function columnKinds(database: SqlDatabase, table: string): Map<unknown, Kind> {
  const statement = database.prepare(`PRAGMA table_xinfo(${quoteName(table)})`)
  try {
    const [name = 0, type = 0, hidden = 0] = ["name", "type", "hidden"].map((column) =>
      statement.columns.indexOf(column),
    )
    return new Map(
      statement.all([]).map((row): [unknown, Kind] => {
        const declared = String(row[type])
        const isReal = REAL_TYPE.test(declared) && !OTHER_TYPE.test(declared)
        return [row[name], { isGenerated: row[hidden] !== 0, isReal }]
      }),
    )
  } finally {
    statement.finalize()
  }
}

const COMMA = 0x2c
const LINE_FEED = 0x0a
const ASCII = Array.from({ length: 0x80 }, (_, code) => String.fromCharCode(code))

/** Where a cell ends: before a comma, a line feed or the end of the text. */
function endOfCell(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === COMMA || code === LINE_FEED) return at
  }
  return text.length
}

/** Digits of which a double holds every number. */
const SAFE_DIGITS = 15

function readInteger(text: string, from: number, end: number): number | bigint {
  if (end - from > SAFE_DIGITS) return exactly(BigInt(text.slice(from, end)))
  const isNegative = text.charCodeAt(from) === 0x2d
  let whole = 0
  for (let at = isNegative ? from + 1 : from; at < end; at++) whole = 10 * whole + text.charCodeAt(at) - 0x30
  return isNegative ? -whole : whole
}

function exactly(whole: bigint): number | bigint {
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
}

const bits = new DataView(new ArrayBuffer(8))

/** Eight digits in lower case. */
function readHex(text: string, from: number): number {
  let number = 0
  for (let at = from; at < from + 8; at++) number = number * 16 + digitOf(text.charCodeAt(at))
  return number
}

function bytesOf(text: string, from: number, end: number): Uint8Array {
  const bytes = new Uint8Array((end - from) / 2)
  for (let at = 0; at < bytes.length; at++) bytes[at] = byteAt(text, from + 2 * at)
  return bytes
}

function byteAt(text: string, at: number): number {
  return 16 * digitOf(text.charCodeAt(at)) + digitOf(text.charCodeAt(at + 1))
}

/** Of hexadecimal digits in either case. */
function digitOf(code: number): number {
  return code < 0x3a ? code - 0x30 : (code | 0x20) - 0x57
}
