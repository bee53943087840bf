import type { SqlValue } from "../shared/sql.ts"

/** Rows as the app sees them. */
export type Row = { readonly [column: string]: SqlValue }

/** A row, and its place among all rows of the answer. */
export type PlacedRow<R = Row> = { readonly at: number; readonly row: R }

/**
 * How the rows of a query differ from those that were told last. `applyChanges` makes the new rows of the old ones; to
 * do it by hand, on a list in a page for instance:
 *
 * 1. take out the rows at the places `removed` and at the `from` of `moved`, all of them places of before, last first;
 * 2. put in what was `added` or `moved`, at its `at`, first place first;
 * 3. replace what was `changed`, at its `at`.
 */
export type RowChanges<R = Row> = {
  /** Places of before, in their order. */
  readonly removed: readonly number[]
  /** Rows whose order among the others has changed, by the place where they stand now. */
  readonly moved: readonly { readonly from: number; readonly at: number }[]
  /** Rows with a key that was not there, by their place. */
  readonly added: readonly PlacedRow<R>[]
  /** Rows with a key that was there and another value in some column, by their place now. */
  readonly changed: readonly PlacedRow<R>[]
}

/** The rows after some changes. `rows` stays as it is. */
export function applyChanges<R>(rows: readonly R[], changes: RowChanges<R>): R[] {
  const { removed, moved, added, changed } = changes
  const gone = new Set([...removed, ...moved.map(({ from }) => from)])
  const entering = new Map<number, R>(added.map(({ at, row }) => [at, row]))
  for (const { from, at } of moved) entering.set(at, rows[from] as R) // a place of before
  const staying = rows.filter((_, at) => !gone.has(at))
  const result: R[] = []
  for (const row of staying) {
    enter(result, entering)
    result.push(row)
  }
  enter(result, entering)
  for (const { at, row } of changed) result[at] = row
  return result
}

function enter<R>(result: R[], entering: Map<number, R>): void {
  while (entering.has(result.length)) result.push(entering.get(result.length) as R) // it is there
}
