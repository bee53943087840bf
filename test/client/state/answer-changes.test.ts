import fc from "fast-check"
import { expect, test } from "vitest"
import { applyChanges, type Row } from "../../../client/row-changes.ts"
import { answerChanges } from "../../../client/state/answer-changes.ts"
import type { SqlValue } from "../../../shared/sql.ts"
import { asObjects } from "../../../shared/view/query.ts"

const COLUMNS = ["id", "value"]

const key = fc.oneof(
  fc.nat(9),
  fc.constantFrom<SqlValue>("1", "number 1", "1:1", null, 1n, "", "x1:1", new Uint8Array([1])),
)
const value = fc.constantFrom<SqlValue>("a", "b", 1, null, new Uint8Array([1, 2]), new Uint8Array([1, 3]))
const answer = fc
  .uniqueArray(fc.tuple(key, value), { maxLength: 14, selector: ([id]) => named(id) })
  .map((rows) => ({ columns: COLUMNS, rows }))

function named(id: SqlValue): string {
  return `${typeof id} ${String(id)}`
}

test("[VIEW29] the changes make the new rows of the old ones, keep what keeps its key, and move as few as possible", () => {
  fc.assert(
    fc.property(answer, answer, (before, after) => {
      const changes = answerChanges(before, after, ["id"])
      const rows = asObjects(COLUMNS, before.rows) as Row[]
      expect(applyChanges(rows, changes)).toEqual(asObjects(COLUMNS, after.rows))
      expect(byHand(rows, changes)).toEqual(asObjects(COLUMNS, after.rows))
      const ids = before.rows.map(([id]) => named(id ?? null))
      const kept = after.rows.filter(([id]) => ids.includes(named(id ?? null)))
      expect([changes.added.length, changes.removed.length]).toEqual([
        after.rows.length - kept.length,
        before.rows.length - kept.length,
      ])
      const order = kept.map(([id]) => ids.indexOf(named(id ?? null)))
      expect(kept.length - changes.moved.length).toBe(longestRising(order))
    }),
    { numRuns: 2_000, seed: 20_261_125 },
  )
})

/** As the contract of `RowChanges` says it. */
function byHand(rows: readonly Row[], changes: ReturnType<typeof answerChanges>): Row[] {
  const list = [...rows]
  const gone = [...changes.removed, ...changes.moved.map(({ from }) => from)]
  for (const at of gone.sort((left, right) => right - left)) list.splice(at, 1)
  const moved = changes.moved.map(({ from, at }) => ({ at, row: rows[from]! }))
  for (const { at, row } of [...changes.added, ...moved].sort((left, right) => left.at - right.at)) {
    list.splice(at, 0, row)
  }
  for (const { at, row } of changes.changed) list[at] = row
  return list
}

/** By trying all ends: slow, and plain. */
function longestRising(numbers: readonly number[]): number {
  const lengths: number[] = []
  for (const [at, number] of numbers.entries()) {
    lengths.push(1 + Math.max(0, ...lengths.filter((_, before) => numbers[before]! < number && before < at)))
  }
  return Math.max(0, ...lengths)
}

test("[VIEW29] ten thousand rows of which one is new are compared within a moment", () => {
  const rows = Array.from({ length: 10_000 }, (_, at): [string, number] => [`row ${at}`, at])
  const start = performance.now()
  const changes = answerChanges(
    { columns: COLUMNS, rows },
    { columns: COLUMNS, rows: [["new", 0], ...rows] },
    ["id"],
  )
  expect(performance.now() - start).toBeLessThan(1_000)
  expect(changes).toEqual({
    removed: [],
    moved: [],
    added: [{ at: 0, row: { id: "new", value: 0 } }],
    changed: [],
  })
})
