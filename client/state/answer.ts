import type { SqlRow, SqlValue } from "../../shared/sql.ts"

/** What a query answered, as SQLite has it. */
export type Answer = { readonly columns: readonly string[]; readonly rows: readonly SqlRow[] }

export const NOTHING: Answer = { columns: [], rows: [] }

export function equalAnswers(left: Answer, right: Answer): boolean {
  if (left === right) return true
  const { length } = left.rows
  if (length !== right.rows.length || !equalColumns(left, right)) return false
  for (let at = 0; at < length; at++) if (!equalRows(left.rows[at], right.rows[at])) return false
  return true
}

export function equalColumns({ columns }: Answer, other: Answer): boolean {
  if (columns === other.columns) return true
  return columns.length === other.columns.length && columns.every((name, at) => name === other.columns[at])
}

/** Two rows of the same columns. */
export function equalRows(left: SqlRow = [], right: SqlRow = []): boolean {
  if (left === right) return true
  for (let at = 0; at < left.length; at++) {
    if (left[at] !== right[at] && !equalBytes(left[at] ?? null, right[at] ?? null)) return false
  }
  return true
}

function equalBytes(left: SqlValue, right: SqlValue): boolean {
  if (!(left instanceof Uint8Array) || !(right instanceof Uint8Array)) return false
  return left.length === right.length && left.every((byte, at) => byte === right[at])
}
