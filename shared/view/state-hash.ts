import type { SqlDatabase, SqlRow, SqlValue } from "../sql.ts"

/** SHA-256 of some bytes. Both browsers and edges have it as a promise. */
export type Digest = (bytes: Uint8Array) => Promise<Uint8Array>

/** What the rows of a view come to, in hexadecimal: for all of its tables together and for each. */
export type StateHash = { readonly view: string; readonly tables: { readonly [table: string]: string } }

/** Text and blobs longer than this are not doubled by SQLite, which may bound what it makes of them. */
const HEX_BYTES_MAX = 500_000

/**
 * The columns that make up a row: all that `SELECT *` answers, generated ones among them. A rowid that is none
 * of them is no part of the row.
 */
export function rowColumns(database: SqlDatabase, table: string): readonly string[] {
  const statement = database.prepare(`SELECT * FROM ${quoteName(table)}`)
  statement.finalize()
  return statement.columns
}

/**
 * The rows of a table as lines of ASCII, sorted, so that the order of rows plays no part. Two lines are equal
 * if all values of the two rows are equal in type and content: integer 1 is not real 1.0, and reals are equal
 * by their bits.
 */
export function tableLines(database: SqlDatabase, table: string): string[] {
  return rowLines(database, table, rowColumns(database, table))
}

/** The same for columns of one's choice, a rowid among them. */
export function rowLines(database: SqlDatabase, table: string, columns: readonly string[]): string[] {
  const cells = columns.map((column) => cellOf(quoteName(column)))
  const statement = database.prepare(`SELECT ${cells.join(", ")} FROM ${quoteName(table)}`)
  try {
    const rows: SqlRow[] = statement.all([])
    const lines: string[] = []
    for (let row = rows.pop(); row !== undefined; row = rows.pop()) lines.push(lineOf(row)) // never all of them twice
    return lines.sort()
  } finally {
    statement.finalize()
  }
}

/**
 * Hashes the rows of these tables. Equal where the same events were folded, in whatever build of SQLite; the
 * order of `tables` plays no part, and neither does how the rows came to be. The rows are read at once, before this
 * gives way to other code.
 */
export async function stateHash(
  database: SqlDatabase,
  tables: readonly string[],
  digest: Digest,
): Promise<StateHash> {
  const texts = [...tables].sort().map((table) => [table, tableLines(database, table).join("\n")] as const)
  const hashes: [string, string][] = []
  for (const [table, text] of texts) hashes.push([table, await textHash(text, digest)])
  return joinHashes(Object.fromEntries(hashes), digest)
}

/** What a view comes to whose tables come to these hashes. */
export async function joinHashes(tables: StateHash["tables"], digest: Digest): Promise<StateHash> {
  const lines = Object.keys(tables)
    .sort()
    .map((table) => `${ascii(table)} ${tables[table]}`)
  return { view: await textHash(lines.join("\n"), digest), tables }
}

/** The hash of a text of ASCII. */
export async function textHash(text: string, digest: Digest): Promise<string> {
  return bytesHash(asciiBytes(text), digest)
}

/** The same, of its bytes. */
export async function bytesHash(bytes: Uint8Array, digest: Digest): Promise<string> {
  return hex(await digest(bytes))
}

/**
 * One value as SQLite hands it out: a real as a number, all else as text that begins with its type. Integers
 * are written by SQLite, since a `number` does not hold them all.
 */
function cellOf(column: string): string {
  return (
    `CASE typeof(${column}) WHEN 'real' THEN ${column} WHEN 'null' THEN 'n' WHEN 'integer' THEN 'i' || ${column} ` +
    `ELSE CASE WHEN octet_length(${column}) <= ${HEX_BYTES_MAX} ` +
    `THEN substr(typeof(${column}), 1, 1) || hex(${column}) ` +
    `ELSE CAST(substr(typeof(${column}), 1, 1) || ${column} AS BLOB) END END`
  )
}

const real = new DataView(new ArrayBuffer(8))

function lineOf(row: SqlRow): string {
  return row.map(textOf).join(",")
}

function textOf(cell: SqlValue): string {
  if (typeof cell === "string") return cell
  if (typeof cell === "number") {
    real.setFloat64(0, cell)
    return `r${real.getBigUint64(0).toString(16).padStart(16, "0")}`
  }
  if (cell instanceof Uint8Array)
    return String.fromCharCode(cell[0] ?? 0) + hex(cell.subarray(1)).toUpperCase()
  throw new TypeError(`no cell of a line: ${typeof cell}`) // cellOf makes no others
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

/** A table's name may have any character; what is hashed has those of ASCII. */
function ascii(text: string): string {
  return JSON.stringify(text).replace(
    /[^ -~]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

export function asciiBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}

export function quoteName(name: string): string {
  return `"${name.replaceAll(`"`, `""`)}"`
}
