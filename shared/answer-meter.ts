import { type QueryBounds, QueryStopped, type SqlRow, type SqlValue } from "./sql.ts"

const ROW_BYTES = 32 // an array or an object
const VALUE_BYTES = 16

/** Counts what a query answers, row by row, and stops it at its bounds. */
export class AnswerMeter {
  readonly #bounds: Pick<QueryBounds, "rowsMax" | "bytesMax">
  #rows = 0
  #bytes = 0

  constructor(bounds: Pick<QueryBounds, "rowsMax" | "bytesMax">) {
    this.#bounds = bounds
  }

  /** @throws QueryStopped when this row is too much. */
  add(row: SqlRow): void {
    const { rowsMax, bytesMax } = this.#bounds
    this.#rows++
    this.#bytes += ROW_BYTES
    for (const value of row) this.#bytes += VALUE_BYTES + lengthOf(value)
    if (this.#rows > rowsMax) throw new QueryStopped("size", `at most ${rowsMax} rows; more came`)
    if (this.#bytes > bytesMax) throw new QueryStopped("size", `rows of at most ${bytesMax} bytes; more came`)
  }
}

function lengthOf(value: SqlValue): number {
  return typeof value === "string" || value instanceof Uint8Array ? value.length : 0
}
