import { describe, expect, test, vi } from "vitest"
import { openViewState } from "../../../client/state/view-state.ts"
import type { HeadwaterError } from "../../../shared/errors.ts"
import type { EventId } from "../../../shared/ids.ts"
import type { SqlDatabase, SqlStatement } from "../../../shared/sql.ts"
import { describeViewState } from "../../contract/view-state.ts"
import { openNodeSqlite } from "../../support/node-sqlite.ts"
import { ORDER_STREAMS, ORDER_VIEW, ORDERS, type OrderEvent, PRODUCTS } from "../../support/order-view.ts"

describeViewState("node:sqlite", async () => openNodeSqlite(), 500)

const open = (database: SqlDatabase = openNodeSqlite()) =>
  openViewState(database, "shop", ORDER_VIEW, ORDER_STREAMS)

let ids = 0
const event = (type: string, data: Record<string, unknown>): OrderEvent => ({
  id: `e${++ids}` as EventId,
  type,
  data,
})
const placed = (order: string, quantity = 1) => event("order.placed", { order, quantity })
const idsOf = (state: ReturnType<typeof open>) =>
  state.query("SELECT id FROM orders ORDER BY id").map((row) => row.id)
const ignore = { onRows: () => {}, onError: () => {} }

describe("[VIEW10] an event whose statement fails halts its source, and nothing else", () => {
  test("confirmed: later events of the source are not folded, other sources go on", () => {
    const state = open()
    const poison = placed("b", 100)
    state.rebase(
      [
        { stream: ORDERS, messages: [placed("a"), poison, placed("c")] },
        { stream: PRODUCTS, messages: [event("product.named", { sku: "s", name: "Soap" })] },
      ],
      [],
    )
    expect(idsOf(state)).toEqual(["a"])
    expect(state.query("SELECT name FROM products")).toEqual([{ name: "Soap" }])
    expect(state.halted()).toEqual([
      {
        source: "orders",
        eventId: poison.id,
        eventType: "order.placed",
        message: "CHECK constraint failed: quantity < 100",
      },
    ])
    state.rebase([{ stream: ORDERS, messages: [placed("d")] }], [{ stream: ORDERS, messages: [placed("e")] }])
    expect(idsOf(state)).toEqual(["a"])
    expect(state.halted()).toHaveLength(1)
  })

  test("pending: it lasts until the event is no longer pending", () => {
    const state = open()
    const poison = placed("b", 100)
    const later = placed("c")
    state.addPending(ORDERS, [placed("a"), poison])
    state.addPending(ORDERS, [later])
    expect(idsOf(state)).toEqual(["a"])
    expect(state.halted()).toMatchObject([{ eventId: poison.id }])
    state.rebase([], [{ stream: ORDERS, messages: [later] }])
    expect(idsOf(state)).toEqual(["c"])
    expect(state.halted()).toEqual([])
  })

  test("pending and then confirmed: it lasts", () => {
    const state = open()
    const poison = placed("b", 100)
    state.addPending(ORDERS, [poison])
    state.rebase([{ stream: ORDERS, messages: [poison] }], [])
    state.rebase([{ stream: ORDERS, messages: [placed("c")] }], [])
    expect(idsOf(state)).toEqual([])
    expect(state.halted()).toMatchObject([{ eventId: poison.id }])
  })

  test("several statements leave nothing of the event behind", () => {
    const state = open()
    const lines = (skus: string[]) => event("order.lined", { order: "a", skus })
    state.rebase([{ stream: ORDERS, messages: [lines(["x", "y"]), lines(["z", "z"])] }], [])
    expect(state.query("SELECT sku FROM lines ORDER BY sku")).toEqual([{ sku: "x" }, { sku: "y" }])
    expect(state.halted()).toMatchObject([{ message: "UNIQUE constraint failed: lines.order, lines.sku" }])
  })

  test("a failure that says nothing about the event is no halt: it surfaces", () => {
    const state = open(failingWith(openNodeSqlite(), new Error("no memory")))
    expect(() => state.addPending(ORDERS, [placed("a")])).toThrow("no memory")
    expect(state.halted()).toEqual([])
  })
})

describe("[VIEW11] what an event binds", () => {
  const view = {
    log: {
      tables: ["CREATE TABLE log (a, b, c, d, e, f, g, year)"],
      on: {
        noted: [
          "INSERT INTO log VALUES (:a, :b, :event_id, :event_type, :event_time, :event_source, :event_stream || coalesce(:event_subject, '-'), date(:at))",
        ],
      },
    },
  }
  const openLog = () => openViewState(openNodeSqlite(), "log", view, { log: ORDERS })

  test("attributes, and fields by their own name only", () => {
    const state = openLog()
    const attributes = { id: "i", type: "noted", time: "2026-01-02T03:04:05.678Z", source: "me" }
    state.rebase(
      [
        {
          stream: ORDERS,
          messages: [{ ...attributes, data: { a: [1, { b: null }], b: true, at: "2026-01-02" } }],
        },
      ],
      [],
    )
    expect(state.query("SELECT * FROM log")).toEqual([
      {
        a: '[1,{"b":null}]',
        b: 1,
        c: "i",
        d: "noted",
        e: attributes.time,
        f: "me",
        g: "acme/orders-",
        year: "2026-01-02",
      },
    ])
  })

  test.each([[undefined], [null], [7], ["text"], [[1, 2]], [{ constructor: 1 }]])(
    "data %j gives NULL",
    (data) => {
      const state = openLog()
      state.rebase([{ stream: ORDERS, messages: [{ id: "i", type: "noted", data }] }], [])
      expect(state.query("SELECT a, b, f, year FROM log")).toEqual([
        { a: null, b: null, f: null, year: null },
      ])
    },
  )

  test.each([["now"], ["NOW"], ["subsec"]])("a date function is never asked about %j", (at) => {
    const state = openLog()
    state.rebase([{ stream: ORDERS, messages: [{ id: "i", type: "noted", data: { at } }] }], [])
    expect(state.query("SELECT * FROM log")).toEqual([])
    expect(state.halted()[0]?.message).toContain("present moment")
  })
})

describe("[VIEW12] queries read and do nothing else", () => {
  test.each([
    ["", "expected one statement; got none"],
    ["SELECT 1; SELECT 2", "expected one statement; got several"],
    ["SELECT 1; DELETE FROM orders", "expected one statement; got several"],
    ["DELETE FROM orders", "expected SELECT, VALUES or WITH; got DELETE"],
    ["WITH x AS (SELECT 1) DELETE FROM orders", "expected a query that only reads; got one that writes"],
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
    const state = open()
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
    expect(() => open().query(sql, parameters as never)).toThrow(message)
  })

  test("parameters by position and by name, rows as objects", () => {
    const state = open()
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
    const state = open()
    const onRows = vi.fn()
    const stop = state.live("SELECT id FROM orders WHERE id > :from", { from: "a" }, { ...ignore, onRows })
    expect(onRows.mock.calls).toEqual([[[]]])
    state.addPending(ORDERS, [placed("b")])
    expect(onRows).toHaveBeenCalledTimes(1)
    state.flush()
    expect(onRows.mock.lastCall).toEqual([[{ id: "b" }]])
    state.addPending(ORDERS, [placed("a")])
    state.addPending(PRODUCTS, [event("product.named", { sku: "s", name: "Soap" })])
    state.flush()
    expect(onRows).toHaveBeenCalledTimes(2)
    state.rebase([], [])
    state.flush()
    expect(onRows.mock.lastCall).toEqual([[]])
    stop()
    stop()
    state.addPending(ORDERS, [placed("c")])
    state.flush()
    expect(onRows).toHaveBeenCalledTimes(3)
  })

  test("run only when they read a changed table, through an index or a join as well", () => {
    const database = openNodeSqlite()
    const state = open(database)
    const runs = (sql: string) => {
      const prepare = vi.spyOn(database, "prepare")
      state.live(sql, [], ignore)
      const all = vi.spyOn(prepare.mock.results.at(-1)?.value as SqlStatement, "all")
      prepare.mockRestore()
      return all
    }
    const bySku = runs("SELECT DISTINCT sku FROM lines")
    const join = runs("SELECT name FROM products WHERE sku IN (SELECT sku FROM lines)")
    const neither = runs("SELECT count(*) FROM orders")
    state.addPending(ORDERS, [event("order.lined", { order: "a", skus: ["x"] })])
    state.flush()
    expect([bySku, join, neither].map((all) => all.mock.calls.length)).toEqual([1, 1, 0])
    state.flush()
    expect(bySku).toHaveBeenCalledTimes(1)
  })

  test("one that fails says so to its owner and answers again when it can", () => {
    const state = open()
    const errors: HeadwaterError[] = []
    const onRows = vi.fn()
    state.live("SELECT json(note) AS note FROM orders", [], {
      onRows,
      onError: (error) => errors.push(error),
    })
    state.addPending(ORDERS, [event("order.placed", { order: "a", quantity: 1, note: "{" })])
    state.flush()
    expect(errors.map(({ code, message }) => [code, message.includes("malformed JSON")])).toEqual([
      ["invalid-query", true],
    ])
    state.rebase([], [])
    state.flush()
    expect(onRows.mock.calls).toEqual([[[]], [[]]])
    expect(() => state.live("SELECT colour", [], ignore)).toThrow("no such column")
  })
})

describe("[VIEW9] a layer that is confirmed as it stands is not folded again", () => {
  test("10,000 pending events confirmed in 20 batches run each statement once", () => {
    const { database, count } = counting(openNodeSqlite())
    const state = open(database)
    const events = Array.from({ length: 10_000 }, (_, at) => placed(`o${at}`))
    state.addPending(ORDERS, events)
    for (let from = 0; from < events.length; from += 500) {
      const messages = events.slice(from, from + 500)
      state.rebase([{ stream: ORDERS, messages }], [{ stream: ORDERS, messages: events.slice(from + 500) }])
    }
    expect(count.runs).toBe(10_000)
    state.rebase([], [])
    expect(state.query("SELECT count(*) AS n FROM orders")).toEqual([{ n: 10_000 }])
  })

  test("what was confirmed below a layer that is dropped stays", () => {
    const state = open()
    const [first, second, third] = [placed("a"), placed("b"), placed("c")]
    state.addPending(ORDERS, [first, second])
    state.rebase([{ stream: ORDERS, messages: [first] }], [{ stream: ORDERS, messages: [second] }])
    state.rebase([{ stream: ORDERS, messages: [third] }], [])
    expect(idsOf(state)).toEqual(["a", "c"])
  })

  test("a backlog that never ends does not keep its confirmed part in memory for ever", () => {
    const { database, count } = counting(openNodeSqlite())
    const state = open(database)
    let pending: OrderEvent[] = []
    for (let batch = 0; batch < 50; batch++) {
      const fresh = Array.from({ length: 1_000 }, (_, at) => placed(`o${batch}-${at}`))
      state.addPending(ORDERS, fresh)
      state.rebase([{ stream: ORDERS, messages: pending }], [{ stream: ORDERS, messages: fresh }])
      pending = fresh
    }
    expect(count.runs).toBeGreaterThan(50_000) // folded again to be committed, at least once
    expect(count.runs).toBeLessThan(150_000)
    expect(state.query("SELECT count(*) AS n FROM orders")).toEqual([{ n: 50_000 }])
  })
})

test("[VIEW14] a view without a stream for each source is refused, and its database closed", () => {
  const database = openNodeSqlite()
  const close = vi.spyOn(database, "close")
  expect(() => openViewState(database, "shop", ORDER_VIEW, { orders: ORDERS })).toThrow(
    "expected a stream for products; got none",
  )
  expect(close).toHaveBeenCalledOnce()
})

test("[VIEW14] closing is idempotent", () => {
  const state = open()
  state.live("SELECT 1", [], ignore)
  state.query("SELECT 1")
  state.close()
  state.close()
})

/** A database that counts what runs in it. */
function counting(inner: SqlDatabase): { database: SqlDatabase; count: { runs: number } } {
  const count = { runs: 0 }
  const onRun = (statement: SqlStatement): SqlStatement => ({
    columns: statement.columns,
    run: (values) => {
      count.runs++
      statement.run(values)
    },
    all: (values) => statement.all(values),
    finalize: () => statement.finalize(),
  })
  return { database: withStatements(inner, onRun), count }
}

function failingWith(inner: SqlDatabase, error: Error): SqlDatabase {
  return withStatements(inner, (statement) => ({
    columns: statement.columns,
    run: () => {
      throw error
    },
    all: (values) => statement.all(values),
    finalize: () => statement.finalize(),
  }))
}

function withStatements(inner: SqlDatabase, change: (statement: SqlStatement) => SqlStatement): SqlDatabase {
  return {
    exec: (sql) => inner.exec(sql),
    prepare: (sql) => change(inner.prepare(sql)),
    atomically: (work) => inner.atomically(work),
    close: () => inner.close(),
  }
}
