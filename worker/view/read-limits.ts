/** How much one statement may bring, and may read for it. */
export type ReadLimits = { readonly rowsMax: number; readonly bytesMax: number; readonly rowsReadMax: number }

/** A statement brought more than it may, or read more. What it says begins with what was expected. */
export class BeyondLimits extends Error {
  override readonly name = "BeyondLimits"
}

/** Reads row by row, and stops at the first that is too much. */
export function withinLimits(
  cursor: SqlStorageCursor<Record<string, SqlStorageValue>>,
  { rowsMax, bytesMax, rowsReadMax }: ReadLimits,
): SqlStorageValue[][] {
  const rows: SqlStorageValue[][] = []
  let bytes = 0
  for (const row of cursor.raw()) {
    for (const value of row) bytes += sizeOf(value)
    rows.push(row)
    if (rows.length > rowsMax) throw new BeyondLimits(`at most ${rowsMax} rows; more came`)
    if (bytes > bytesMax) throw new BeyondLimits(`rows of at most ${bytesMax} bytes; more came`)
    if (cursor.rowsRead > rowsReadMax)
      throw new BeyondLimits(`a query that reads at most ${rowsReadMax} rows; this one reads more`)
  }
  return rows
}

/** Roughly, in an answer. */
function sizeOf(value: SqlStorageValue): number {
  if (typeof value === "string") return value.length + 2
  return value instanceof ArrayBuffer ? 2 * value.byteLength : 8
}
