import { HeadwaterError } from "../../shared/errors.ts"
import type { SqlRow, SqlValue } from "../../shared/sql.ts"
import { asObjects } from "../../shared/view/query.ts"
import type { PlacedRow, RowChanges } from "../row-changes.ts"
import { type Answer, equalColumns, equalRows } from "./answer.ts"

/** Columns that tell one row of an answer from all others. */
export type RowKey = readonly string[]

/**
 * How an answer differs from an earlier one. As few rows as possible are called moved.
 *
 * @throws HeadwaterError `invalid-query` when the answer has no such columns, or two rows with one key.
 */
export function answerChanges(before: Answer, after: Answer, key: RowKey): RowChanges {
  const places = placesByKey(before, key)
  const isComparable = equalColumns(before, after)
  const found = new Set<number>()
  const added: { at: number; row: SqlRow }[] = []
  const changed: { at: number; row: SqlRow }[] = []
  const kept: { from: number; at: number }[] = []
  for (const [name, at] of placesByKey(after, key)) {
    const row = after.rows[at] ?? []
    const from = places.get(name)
    if (from === undefined) {
      added.push({ at, row })
      continue
    }
    found.add(from)
    kept.push({ from, at })
    if (!isComparable || !equalRows(before.rows[from], row)) changed.push({ at, row })
  }
  const staying = longestRising(kept.map(({ from }) => from))
  return {
    removed: before.rows.flatMap((_, at) => (found.has(at) ? [] : [at])),
    moved: kept.filter((_, index) => !staying.has(index)),
    added: placed(after, added),
    changed: placed(after, changed),
  }
}

/** Whether there is nothing to tell. */
export function isUnchanged({ removed, moved, added, changed }: RowChanges): boolean {
  return removed.length + moved.length + added.length + changed.length === 0
}

/** @throws HeadwaterError `invalid-query` when a column is not there, or named twice, or none is named. */
export function checkKey(columns: readonly string[], key: RowKey): void {
  const missing = key.find((column) => !columns.includes(column))
  const came = columns.join(", ") || "none"
  if (missing !== undefined) throw badKey(`a column "${missing}" in the rows; they have ${came}`)
  if (key.length === 0 || new Set(key).size < key.length) {
    throw badKey(`columns, each once; got ${key.join(", ") || "none"}`)
  }
}

/** In the order of the rows. */
function placesByKey({ columns, rows }: Answer, key: RowKey): Map<string | number, number> {
  const places = new Map<string | number, number>()
  if (columns.length === 0) return places // nothing was told yet
  checkKey(columns, key)
  const positions = key.map((column) => columns.lastIndexOf(column))
  for (const [at, row] of rows.entries()) {
    const name = nameOf(row, positions)
    if (places.has(name)) {
      const shown = positions.map((position) => String(row[position])).join(", ")
      throw badKey(`another key for each row; rows ${places.get(name)} and ${at} have ${shown}`)
    }
    places.set(name, at)
  }
  return places
}

/** Equal for equal keys only. Most keys are one number or text. */
function nameOf(row: SqlRow, positions: readonly number[]): string | number {
  const [first, ...others] = positions.map((position) => row[position] ?? null)
  if (others.length === 0 && typeof first === "number") return first
  return [first ?? null, ...others].map(tagged).join(",")
}

function tagged(value: SqlValue): string {
  if (typeof value === "string") return `${value.length}:${value}`
  return value instanceof Uint8Array ? `x${value.length}:${value.join(".")}` : `${typeof value} ${value}`
}

/** Which indexes make the longest part of the list that rises: each number is larger than the one before it. */
function longestRising(numbers: readonly number[]): ReadonlySet<number> {
  if (numbers.every((number, at) => at === 0 || number > (numbers[at - 1] ?? 0)))
    return new Set(numbers.keys())
  /** Of each length, where the part of that length ends that ends lowest. */
  const ends: number[] = []
  const before: (number | undefined)[] = []
  for (const [at, number] of numbers.entries()) {
    let low = 0
    for (let high = ends.length; low < high; ) {
      const middle = (low + high) >> 1
      if ((numbers[ends[middle] ?? 0] ?? 0) < number) low = middle + 1
      else high = middle
    }
    before[at] = low === 0 ? undefined : ends[low - 1]
    ends[low] = at
  }
  const rising = new Set<number>()
  for (let at = ends.at(-1); at !== undefined; at = before[at]) rising.add(at)
  return rising
}

function placed({ columns }: Answer, rows: readonly { at: number; row: SqlRow }[]): PlacedRow[] {
  const objects = asObjects(
    columns,
    rows.map(({ row }) => row),
  )
  return objects.map((row, index) => ({ at: rows[index]?.at ?? 0, row }))
}

function badKey(expected: string): HeadwaterError {
  return new HeadwaterError("invalid-query", `The key of a query's rows: expected ${expected}.`)
}
