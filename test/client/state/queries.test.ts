import { describe, expect, test, vi } from "vitest"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import type { HeadwaterError } from "../../../shared/errors.ts"
import { countingDatabase } from "../../support/counting-database.ts"
import { event, idsOf, ORDERS, openOrders, PRODUCTS, placed } from "../../support/order-view.ts"

const ignore = { onRows: () => {}, onError: () => {} }

describe("[VIEW12] queries read and do nothing else", () => {
  test.each([
    ["", "expected one statement; got none"],
    ["SELECT 1; SELECT 2", "expected one statement; got several"],
    ["SELECT 1; DELETE FROM orders", "expected one statement; got several"],
    ["DELETE FROM orders", "expected SELECT, VALUES or WITH; got DELETE"],
    [
      "WITH x AS (SELECT 1) DELETE FROM orders",
      "a query that only reads tables of the view; got one that writes",
    ],
    ["WITH x AS (SELECT 1) INSERT INTO products SELECT 1, 2 FROM x RETURNING *", "got one that writes"],
    ["PRAGMA user_version = 3", "expected SELECT, VALUES or WITH; got PRAGMA"],
    ["EXPLAIN DELETE FROM orders", "got EXPLAIN"],
    ["ATTACH ':memory:' AS other", "got ATTACH"],
    ["COMMIT", "got COMMIT"],
    ["ROLLBACK", "got ROLLBACK"],
    ["SAVEPOINT x", "got SAVEPOINT"],
    ["VACUUM", "got VACUUM"],
    ["SELECT * FROM others", "no such table: others"],
    ["SELECT json('{')", "malformed JSON"],
    ["SELECT 'open", "a text that cannot be read at character 8"],
  ])("%j is refused", (sql, message) => {
    const state = openOrders(openNodeSqlite())
    expect(() => state.query(sql)).toThrow(
      expect.objectContaining({ code: "invalid-query", message: expect.stringContaining(message) }),
    )
    state.addPending(ORDERS, [placed("a")])
    state.rebase([], [])
    expect(idsOf(state)).toEqual([])
  })

  test.each([
    ["SELECT ? AS a", [], "values for 1 parameters; got 0"],
    ["SELECT ? AS a", [1, 2], "values for 1 parameters; got 2"],
    ["SELECT :a AS a", { b: 1 }, "a value for :a; got b"],
    ["SELECT :toString AS a", {}, "a value for :toString; got none"],
    ["SELECT ? AS a", { a: 1 }, "an array of values"],
    ["SELECT ? AS a", [{}], "for parameter 1; got an object"],
    ["SELECT :a AS a", { a: undefined }, "for :a; got undefined"],
  ])("%s does not take %j", (sql, parameters, message) => {
    expect(() => openOrders(openNodeSqlite()).query(sql, parameters as never)).toThrow(message)
  })

  test("parameters by position and by name, rows as objects", () => {
    const state = openOrders(openNodeSqlite())
    expect(state.query("SELECT ? AS a, ? AS b", [true, "x"])).toEqual([{ a: 1, b: "x" }])
    expect(state.query("SELECT $b AS b, @a AS a, :a AS again", { a: 1, b: null })).toEqual([
      { b: null, a: 1, again: 1 },
    ])
    expect(Object.keys(state.query(`SELECT 1 AS "__proto__"`)[0] ?? {})).toEqual(["__proto__"])
    for (let at = 0; at < 200; at++) expect(state.query(`SELECT ${at} AS n`)).toEqual([{ n: at }])
  })
})

describe("[VIEW13] live queries", () => {
  test("answer at once, then when a table they read has changed and their rows differ", () => {
    const state = openOrders(openNodeSqlite())
    const onRows = vi.fn()
    const { next, stop } = state.live(
      "SELECT id FROM orders WHERE id > :from",
      { from: "a" },
      { ...ignore, onRows },
    )
    next()
    expect(onRows.mock.calls).toEqual([[[]]])
    state.addPending(ORDERS, [placed("b")])
    expect(onRows).toHaveBeenCalledTimes(1)
    state.flush()
    expect(onRows.mock.lastCall).toEqual([[{ id: "b" }]])
    next()
    state.addPending(ORDERS, [placed("a")])
    state.addPending(PRODUCTS, [event("product.named", { sku: "s", name: "Soap" })])
    state.flush()
    expect(onRows).toHaveBeenCalledTimes(2)
    state.rebase([], [])
    state.flush()
    expect(onRows.mock.lastCall).toEqual([[]])
    stop()
    stop()
    next()
    state.addPending(ORDERS, [placed("c")])
    state.flush()
    expect(onRows).toHaveBeenCalledTimes(3)
  })

  test("run only when they read a changed table, through an index or a join as well", () => {
    const { database, runs } = countingDatabase()
    const state = openOrders(database)
    const sqls = [
      "SELECT DISTINCT sku FROM lines",
      "SELECT name FROM products WHERE sku IN (SELECT sku FROM lines)",
      "SELECT count(*) FROM orders",
    ]
    for (const sql of sqls) state.live(sql, [], ignore).next()
    const counts = () => sqls.map((sql) => runs.get(sql))
    expect(counts()).toEqual([1, 1, 1])
    state.addPending(ORDERS, [event("order.lined", { order: "a", skus: ["x"] })])
    state.flush()
    expect(counts()).toEqual([2, 2, 1])
    state.flush()
    expect(counts()).toEqual([2, 2, 1])
  })

  test("one that fails says so to its owner and answers again when it can", () => {
    const state = openOrders(openNodeSqlite())
    const errors: HeadwaterError[] = []
    const onRows = vi.fn()
    const { next } = state.live("SELECT json(note) AS note FROM orders", [], {
      onRows,
      onError: (error) => errors.push(error),
    })
    next()
    state.addPending(ORDERS, [event("order.placed", { order: "a", quantity: 1, note: "{" })])
    state.flush()
    expect(errors.map(({ code, message }) => [code, message.includes("malformed JSON")])).toEqual([
      ["invalid-query", true],
    ])
    next()
    state.rebase([], [])
    state.flush()
    expect(onRows.mock.calls).toEqual([[[]], [[]]])
    expect(() => state.live("SELECT colour", [], ignore)).toThrow("no such column")
  })

  test("a listener may stop another that was still to be told", () => {
    const state = openOrders(openNodeSqlite())
    const stops: (() => void)[] = []
    const later = vi.fn()
    const first = { ...ignore, onRows: (rows: readonly unknown[]) => rows.length > 0 && stops[0]?.() }
    state.live("SELECT id FROM orders", [], first).next()
    const second = state.live("SELECT id FROM orders", [], { ...ignore, onRows: later })
    second.next()
    stops.push(second.stop)
    state.addPending(ORDERS, [placed("a")])
    state.flush()
    expect(later).toHaveBeenCalledTimes(1)
  })

  test("[FLOW2] a listener that is busy is told the newest rows when it is done, and nothing of those between", () => {
    const { database, runs } = countingDatabase()
    const state = openOrders(database)
    const onRows = vi.fn()
    const sql = "SELECT count(*) AS n FROM orders"
    const { next } = state.live(sql, [], { ...ignore, onRows })
    for (const id of ["a", "b", "c"]) {
      state.addPending(ORDERS, [placed(id)])
      state.flush()
    }
    expect([onRows.mock.calls, runs.get(sql)]).toEqual([[[[{ n: 0 }]]], 1])
    next()
    expect([onRows.mock.lastCall, onRows.mock.calls.length]).toEqual([[[{ n: 3 }]], 2])
    state.rebase([], [])
    state.flush()
    state.addPending(ORDERS, ["a", "b", "c"].map(placed)) // as the listener has seen it
    state.flush()
    next()
    expect(onRows).toHaveBeenCalledTimes(2)
    state.addPending(ORDERS, [placed("d")]) // it is idle again
    state.flush()
    expect(onRows.mock.lastCall).toEqual([[{ n: 4 }]])
    state.close()
    next()
  })
})
