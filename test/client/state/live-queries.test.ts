import { describe, expect, test, vi } from "vitest"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import { applyChanges, type Row, type RowChanges } from "../../../client/row-changes.ts"
import { openViewState } from "../../../client/state/open-view-state.ts"
import type { HeadwaterError } from "../../../shared/errors.ts"
import type { Millis, StreamPath } from "../../../shared/ids.ts"
import { LIMITS } from "../../../shared/limits.ts"
import { countingDatabase } from "../../support/counting-database.ts"
import { event, ORDER_VIEW, ORDERS, openOrders, PRODUCTS, placed } from "../../support/order-view.ts"

const ignore = { onRows: () => {}, onError: () => {} }
const STREAM = "acme/tables" as StreamPath
const TABLES = 30

/** A view of many tables, each written by a type of its own. */
function manyTables(database: ReturnType<typeof openNodeSqlite>, pace?: Parameters<typeof openViewState>[2]) {
  const numbers = Array.from({ length: TABLES }, (_, at) => at)
  const view = {
    all: {
      tables: numbers.map((at) => `CREATE TABLE t${at} (a INTEGER) STRICT`),
      on: Object.fromEntries(numbers.map((at) => [`wrote.${at}`, [`INSERT INTO t${at} VALUES (:a)`]])),
    },
  }
  const state = openViewState(database, { name: "many", view, streams: { all: STREAM }, skips: [] }, pace)
  const write = (at: number) => {
    state.addPending(STREAM, [event(`wrote.${at}`, { a: 1 })])
    state.flush()
  }
  return { state, write }
}

describe("[VIEW30] live queries share their work", () => {
  test("of 300 over 30 tables 10 run again when one table changes", () => {
    const { database, runs } = countingDatabase()
    const { state, write } = manyTables(database)
    for (let at = 0; at < 300; at++) {
      const followed = state.live(`SELECT count(*) AS n, ${at} AS at FROM t${at % TABLES}`, [], ignore)
      followed.next()
    }
    const total = () => [...runs.values()].reduce((sum, count) => sum + count, 0)
    expect(total()).toBe(300)
    write(7)
    expect(total()).toBe(310)
    expect([...runs].filter(([, count]) => count > 1).every(([sql]) => sql.endsWith("FROM t7"))).toBe(true)
  })

  test("those of one text and the same parameters are one query and one run, told to each", () => {
    const { database, runs, open } = countingDatabase()
    const state = openOrders(database)
    const sql = "SELECT id FROM orders WHERE quantity > :least AND id <> :not"
    const told = Array.from({ length: 50 }, () => vi.fn())
    const followed = told.map((onRows, at) => {
      const params = at % 2 === 0 ? { least: 0, not: "x" } : { not: "x", least: 0 }
      return state.live(sql, params, { ...ignore, onRows })
    })
    for (const { next } of followed) next()
    state.live(sql, { least: 0n, not: "x" }, ignore) // binds as another type does
    expect([runs.get(sql), open()]).toEqual([2, 2])
    state.addPending(ORDERS, [placed("a")])
    state.flush()
    expect(runs.get(sql)).toBe(3) // the other's listener is busy
    for (const onRows of told) expect(onRows.mock.calls).toEqual([[[]], [[{ id: "a" }]]])
    const late = vi.fn()
    state.live(sql, { least: 0, not: "x" }, { ...ignore, onRows: late })
    expect([late.mock.calls, runs.get(sql)]).toEqual([[[[{ id: "a" }]]], 3])
    for (const { stop } of followed) stop()
    expect(open()).toBe(2)
    state.close()
    expect(open()).toBe(0)
  })
})

describe("[VIEW31] a turn ends, however many queries are due", () => {
  test("the rest runs in later turns, in the order in which it became due, once, with the rows of then", async () => {
    let now = 0
    const turns: (() => void)[] = []
    const pace = {
      now: () => now as Millis,
      turn: () => new Promise<void>((resolve) => turns.push(resolve)),
    }
    const { database, runs } = countingDatabase(() => {
      now += LIMITS.liveMsPerTurn / 2
    })
    const { state, write } = manyTables(database, pace)
    const told: [query: number, n: unknown][] = []
    const queries = Array.from({ length: 7 }, (_, at) => `SELECT count(*) AS n, ${at} AS at FROM t0`)
    const nexts: (() => void)[] = []
    for (const [at, sql] of queries.entries()) {
      const onRows = (rows: readonly Row[]) => {
        told.push([at, rows[0]?.n])
        queueMicrotask(() => nexts[at]?.())
      }
      nexts.push(state.live(sql, [], { ...ignore, onRows }).next)
    }
    await Promise.resolve()
    told.length = 0
    write(0)
    expect(told).toEqual([
      [0, 1],
      [1, 1],
    ])
    await Promise.resolve()
    write(0) // the first two are due again, behind those that wait
    expect(turns).toHaveLength(1)
    while (turns.length > 0) {
      turns.shift()?.()
      await new Promise<void>((resolve) => setImmediate(resolve))
    }
    expect(told.slice(2)).toEqual([2, 3, 4, 5, 6, 0, 1].map((at) => [at, 2]))
    expect(queries.map((sql) => runs.get(sql))).toEqual([3, 3, 2, 2, 2, 2, 2])
  })
})

describe("[VIEW29] the difference by key", () => {
  const sql = "SELECT id, quantity FROM orders ORDER BY quantity, id"

  function followed(state: ReturnType<typeof openOrders>, key: readonly string[] = ["id"], text = sql) {
    const changes: RowChanges[] = []
    const errors: HeadwaterError[] = []
    const onChanges = (change: RowChanges) => void changes.push(change)
    const { next, stop } = state.live(text, [], { key, onChanges, onError: (error) => errors.push(error) })
    next()
    return { changes, errors, next, stop }
  }

  test("at first all rows are added; then only what differs is told, with its place", () => {
    const state = openOrders(openNodeSqlite())
    state.addPending(ORDERS, [placed("a", 1), placed("b", 2), placed("c", 3)])
    const { changes, next } = followed(state)
    const rows = [
      { id: "a", quantity: 1 },
      { id: "b", quantity: 2 },
      { id: "c", quantity: 3 },
    ]
    const first = { removed: [], moved: [], added: rows.map((row, at) => ({ at, row })), changed: [] }
    expect(changes).toEqual([first])
    state.addPending(ORDERS, [placed("a", 4), placed("d", 3)])
    state.flush()
    expect(changes[1]).toEqual({
      removed: [],
      moved: [{ from: 0, at: 3 }],
      added: [{ at: 2, row: { id: "d", quantity: 3 } }],
      changed: [{ at: 3, row: { id: "a", quantity: 5 } }],
    })
    next()
    state.addPending(PRODUCTS, [event("product.named", { sku: "s", name: "Soap" })])
    state.rebase([], [])
    state.flush()
    expect(changes[2]).toEqual({ removed: [0, 1, 2, 3], moved: [], added: [], changed: [] })
  })

  test("a late listener gets the difference to what it was told, and a new one all rows", () => {
    const state = openOrders(openNodeSqlite())
    const { changes, next } = followed(state)
    state.addPending(ORDERS, [placed("a")])
    state.flush() // it has this, and is not done with it
    state.addPending(ORDERS, [placed("b")])
    state.flush()
    state.addPending(ORDERS, [placed("a", 8)])
    state.flush()
    expect(changes).toHaveLength(2)
    next()
    let rows: Row[] = []
    for (const change of changes) rows = applyChanges(rows, change)
    expect([rows, changes]).toEqual([state.query(sql), expect.objectContaining({ length: 3 })])
    expect(followed(state).changes[0]?.added).toHaveLength(2)
    next()
    expect(changes).toHaveLength(3)
  })

  test.each([
    [["colour"], `a column "colour" in the rows; they have id, quantity`],
    [["id", "id"], "columns, each once; got id, id"],
    [[], "columns, each once; got none"],
  ])("the key %j is refused", (key, message) => {
    const { database, open } = countingDatabase()
    const state = openOrders(database)
    expect(() => followed(state, key)).toThrow(
      expect.objectContaining({ code: "invalid-query", message: expect.stringContaining(message) }),
    )
    expect(open()).toBe(0)
  })

  test("two rows of one key are an error, once, and the next difference is to the rows of before", () => {
    const state = openOrders(openNodeSqlite())
    state.addPending(ORDERS, [placed("a", 1)])
    const { changes, errors, next } = followed(state, ["quantity"], "SELECT quantity FROM orders")
    state.addPending(ORDERS, [placed("b", 1)])
    state.flush()
    next()
    next()
    expect(errors.map(({ code, message }) => [code, message])).toEqual([
      ["invalid-query", expect.stringContaining("another key for each row; rows 0 and 1 have 1")],
    ])
    state.addPending(ORDERS, [placed("b", 1)])
    state.flush()
    expect(changes).toEqual([
      { removed: [], moved: [], added: [{ at: 0, row: { quantity: 1 } }], changed: [] },
      { removed: [], moved: [], added: [{ at: 1, row: { quantity: 2 } }], changed: [] },
    ])
  })
})

describe("[VIEW32] live queries over another definition of their view", () => {
  const streams = { orders: ORDERS, products: PRODUCTS }
  const open = (view: typeof ORDER_VIEW) =>
    openViewState(openNodeSqlite(), { name: "shop", view, streams, skips: [] })

  test("one whose tables are gone fails and is followed on; the others answer where they differ", () => {
    const state = open(ORDER_VIEW)
    state.addPending(ORDERS, [placed("a")])
    const said: unknown[] = []
    const listener = (name: string) => ({
      onRows: (rows: readonly Row[]) => void said.push([name, rows.length]),
      onError: ({ code }: HeadwaterError) => void said.push([name, code]),
    })
    const orders = state.live("SELECT id FROM orders", [], listener("orders"))
    const lines = state.live("SELECT sku FROM lines", [], listener("lines"))
    for (const { next } of [orders, lines]) next()
    const smaller = open({
      orders: { tables: ["CREATE TABLE orders (id TEXT PRIMARY KEY)"], on: {} },
      products: ORDER_VIEW.products ?? { tables: [], on: {} },
    })
    smaller.replace(state)
    for (const { next } of [orders, lines]) next()
    const again = open(ORDER_VIEW)
    again.replace(smaller)
    expect(said).toEqual([
      ["orders", 1],
      ["lines", 0],
      ["orders", 0],
      ["lines", "invalid-query"],
      ["lines", 0],
    ])
  })
})
