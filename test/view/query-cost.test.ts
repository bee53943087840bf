import { expect, test } from "vitest"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { isRecursive, recursionFault, type Sizes, stepsOf } from "../../worker/view/query-cost.ts"

const SIZES: Sizes = {
  rowsOf: (table) => ({ orders: 100_000, skus: 100 })[table],
  most: 100_000,
  recursion: 1_000,
}

const database = openNodeSqlite()
database.exec(`CREATE TABLE orders (id INTEGER PRIMARY KEY, sku TEXT, quantity INTEGER);
  CREATE INDEX by_sku ON orders (sku); CREATE TABLE skus (sku TEXT PRIMARY KEY, name TEXT)`)

const planOf = (sql: string) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all([])
const steps = (sql: string) => stepsOf(planOf(sql), SIZES)

test.each([
  ["SELECT 1", 1e3],
  ["SELECT * FROM orders WHERE id = 1", 1e3],
  ["SELECT * FROM orders WHERE sku = 'tea'", 1e3],
  ["SELECT count(*) FROM orders", 1e6],
  ["SELECT * FROM orders ORDER BY quantity LIMIT 10", 1e6],
  ["SELECT * FROM orders JOIN skus USING (sku)", 1e7],
  ["SELECT sku, (SELECT name FROM skus WHERE skus.sku = orders.sku) FROM orders", 1e7],
  ["SELECT count(*) FROM orders UNION ALL SELECT count(*) FROM orders", 1e6],
  ["SELECT * FROM orders WHERE sku IN (SELECT sku FROM skus)", 1e6],
])("[EVIEW12] %s takes at most about %d steps", (sql, most) => {
  expect(steps(sql)).toBeLessThan(most)
})

test.each([
  ["SELECT count(*) FROM orders a, orders b WHERE a.quantity < b.quantity", 1e9],
  ["SELECT count(*) FROM orders a, orders b, skus", 1e11],
  ["SELECT (SELECT count(*) FROM orders b WHERE b.quantity < a.quantity) FROM orders a", 1e9],
  ["SELECT * FROM orders WHERE EXISTS (SELECT 1 FROM orders b WHERE b.quantity + orders.id = 7)", 1e9],
  [
    "WITH big AS MATERIALIZED (SELECT sku FROM orders) SELECT count(*) FROM big a, big b WHERE a.sku < b.sku",
    1e9,
  ],
  ["SELECT count(*) FROM json_each('[]') a, json_each('[]') b, json_each('[]') c", 1e8],
])("[EVIEW12] %s takes more than %d", (sql, least) => {
  expect(steps(sql)).toBeGreaterThan(least)
})

test.each([
  ["WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT i FROM n", undefined],
  ["WITH n(i) AS NOT MATERIALIZED (SELECT 1 UNION SELECT i + 1 FROM n LIMIT 100) SELECT i FROM n", undefined],
  ["WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT 5", `"n"`],
  ["WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM N WHERE i < 5) SELECT i FROM n", `"n"`],
  ["WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1001) SELECT i FROM n", `"n"`],
  ["WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1 + 9999999) SELECT i FROM n", `"n"`],
  ["WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT -1) SELECT i FROM n", `"n"`],
  ['WITH "n" AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM [n]) SELECT i FROM n', `"n"`],
])("[EVIEW12] of %s it is said: %s", (sql, words) => {
  expect(isRecursive(planOf(sql))).toBe(true)
  const fault = recursionFault(sql, 1_000)
  if (words === undefined) expect(fault).toBe(undefined)
  else expect(fault).toContain(words)
})
