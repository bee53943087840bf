import { describe, expect, test } from "vitest"
import { scanSql } from "../../../shared/sql-text.ts"
import { copiesOf } from "../../../shared/view/with-parts.ts"

const copies = (sql: string) => copiesOf(scanSql(sql).tokens)

/** Each part reads the one before it twice. */
function doubling(count: number): string {
  const parts = Array.from({ length: count }, (_, at) => `a${at + 1} AS (SELECT l.x FROM a${at} l, a${at} r)`)
  return `WITH a0 AS (SELECT 1 AS x), ${parts.join(", ")} SELECT count(*) FROM a${count}`
}

describe("[VIEW33] what SQLite writes out of the parts of a WITH", () => {
  test.each([
    ["SELECT * FROM a, b JOIN c USING (x)", 0],
    ["WITH a AS (SELECT 1) SELECT * FROM a", 1],
    ["WITH a AS (SELECT 1) SELECT * FROM a, a, (SELECT * FROM a) WHERE x IN a", 4],
    ["WITH a AS (SELECT 1), b(x) AS NOT MATERIALIZED (SELECT a.x, a.y FROM a) SELECT b.x FROM b", 2],
    ["WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT * FROM n", 1],
    ['WITH "A" AS (SELECT 1) SELECT * FROM [a], `A`', 2],
    ["WITH a AS (SELECT 1 AS b), b AS (SELECT * FROM a) SELECT a, b FROM b WHERE 'a' = a", 2],
    ["WITH a AS (SELECT 1) SELECT x, (SELECT max(y) FROM a, a) FROM (a CROSS JOIN a)", 4],
  ])("%s: %i", (sql, count) => {
    expect(copies(sql)).toBe(count)
  })

  test("parts of a hundred views that read one another once are few", () => {
    const chain = Array.from({ length: 100 }, (_, at) => `a${at + 1} AS (SELECT * FROM a${at})`)
    expect(copies(`WITH a0 AS (SELECT 1), ${chain.join(", ")} SELECT * FROM a100`)).toBe(101)
  })

  test("parts that double are counted without being made", () => {
    expect(copies(doubling(9))).toBe(1_023)
    expect(copies(doubling(100))).toBe(2 ** 101 - 1)
  })

  test("parts of one name in two places hide nothing", () => {
    const decoys = Array.from({ length: 30 }, (_, at) => `a${at} AS (SELECT * FROM a${at + 1})`)
    expect(copies(`${doubling(30)}, (WITH ${decoys.join(", ")} SELECT 1)`)).toBe(Number.POSITIVE_INFINITY)
  })
})
