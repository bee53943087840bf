import { describe, expect, test, vi } from "vitest"
import type { LocalDatabase } from "../../../client/host.ts"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import { openViewState } from "../../../client/state/open-view-state.ts"
import { SqlFailure, type SqlStatement } from "../../../shared/sql.ts"
import { describeViewState } from "../../contract/view-state.ts"
import {
  event,
  idsOf,
  ORDER_VIEW,
  ORDERS,
  type OrderEvent,
  openOrders,
  PRODUCTS,
  placed,
} from "../../support/order-view.ts"

describeViewState("node:sqlite", async () => openNodeSqlite(), 500)

const OUT_OF_MEMORY = 7

describe("[VIEW10] an event whose statement fails halts its source, and nothing else", () => {
  test("confirmed: later events of the source are not folded, other sources go on", () => {
    const state = openOrders(openNodeSqlite())
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
        stream: ORDERS,
        offset: undefined,
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
    const state = openOrders(openNodeSqlite())
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
    const state = openOrders(openNodeSqlite())
    const poison = placed("b", 100)
    state.addPending(ORDERS, [poison])
    state.rebase([{ stream: ORDERS, messages: [poison] }], [])
    state.rebase([{ stream: ORDERS, messages: [placed("c")] }], [])
    expect(idsOf(state)).toEqual([])
    expect(state.halted()).toMatchObject([{ eventId: poison.id }])
  })

  test("several statements leave nothing of the event behind", () => {
    const state = openOrders(openNodeSqlite())
    const lines = (skus: string[]) => event("order.lined", { order: "a", skus })
    state.rebase([{ stream: ORDERS, messages: [lines(["x", "y"]), lines(["z", "z"])] }], [])
    expect(state.query("SELECT sku FROM lines ORDER BY sku")).toEqual([{ sku: "x" }, { sku: "y" }])
    expect(state.halted()).toMatchObject([{ message: "UNIQUE constraint failed: lines.order, lines.sku" }])
  })

  test("a failure that says nothing about the event is no halt: it surfaces", () => {
    const state = openOrders(failingWith(openNodeSqlite(), new SqlFailure(OUT_OF_MEMORY, "no memory")))
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
          `INSERT INTO log VALUES (:a, :b, :event_id, :event_type, :event_time, :event_source,
            :event_stream || coalesce(:event_subject, '-'), date(:at))`,
        ],
      },
    },
  }
  const openLog = () =>
    openViewState(openNodeSqlite(), { name: "log", view, streams: { log: ORDERS }, skips: [] })

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

  test.each([
    [{}, null, null],
    [[1, 2], null, null],
    [{ constructor: "x", length: 0 }, "x", 0],
  ])("of %j, fields and nothing that every object or array has", (data, a, b) => {
    const state = openViewState(openNodeSqlite(), {
      name: "log",
      view: {
        log: {
          tables: ["CREATE TABLE log (a, b)"],
          on: { noted: ["INSERT INTO log VALUES (:constructor, :length)"] },
        },
      },
      streams: { log: ORDERS },
      skips: [],
    })
    state.rebase([{ stream: ORDERS, messages: [{ id: "i", type: "noted", data }] }], [])
    expect(state.query("SELECT * FROM log")).toEqual([{ a, b }])
  })

  test.each([["now"], ["NOW"], ["subsec"]])("a date function is never asked about %j", (at) => {
    const state = openLog()
    state.rebase([{ stream: ORDERS, messages: [{ id: "i", type: "noted", data: { at } }] }], [])
    expect(state.query("SELECT * FROM log")).toEqual([])
    expect(state.halted()[0]?.message).toContain("present moment")
  })
})

describe("[VIEW9] a layer that is confirmed as it stands is not folded again", () => {
  test("10,000 pending events confirmed in 20 batches run each statement once", () => {
    const { database, count } = counting(openNodeSqlite())
    const state = openOrders(database)
    const events = Array.from({ length: 10_000 }, (_, at) => placed(`o${at}`))
    state.addPending(ORDERS, events)
    for (let from = 0; from < events.length; from += 500) {
      const messages = events.slice(from, from + 500)
      state.rebase([{ stream: ORDERS, messages }], [{ stream: ORDERS, messages: events.slice(from + 500) }])
    }
    expect(count.runs).toBe(10_000)
    state.rebase([{ stream: ORDERS, messages: [placed("other")] }], [])
    expect(count.runs).toBe(10_001)
    expect(state.query("SELECT count(*) AS n FROM orders")).toEqual([{ n: 10_001 }])
  })

  test("pending events in another order, or others in their place, are folded anew", () => {
    const state = openOrders(openNodeSqlite())
    const [first, second, third] = [placed("a"), placed("b"), placed("c")]
    state.addPending(ORDERS, [first, second])
    state.rebase([], [{ stream: ORDERS, messages: [second, third] }])
    expect(idsOf(state)).toEqual(["b", "c"])
  })

  test("what was confirmed below a layer that is dropped stays", () => {
    const state = openOrders(openNodeSqlite())
    const [first, second, third] = [placed("a"), placed("b"), placed("c")]
    state.addPending(ORDERS, [first, second])
    state.rebase([{ stream: ORDERS, messages: [first] }], [{ stream: ORDERS, messages: [second] }])
    state.rebase([{ stream: ORDERS, messages: [third] }], [])
    expect(idsOf(state)).toEqual(["a", "c"])
  })

  test("a backlog that never ends does not keep its confirmed part in memory for ever", () => {
    const { database, count } = counting(openNodeSqlite())
    const state = openOrders(database)
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
  expect(() =>
    openViewState(database, { name: "shop", view: ORDER_VIEW, streams: { orders: ORDERS }, skips: [] }),
  ).toThrow("expected a stream for products; got none")
  expect(close).toHaveBeenCalledOnce()
})

test("[VIEW14] closing is idempotent", () => {
  const state = openOrders(openNodeSqlite())
  state.live("SELECT 1", [], { onRows: () => {}, onError: () => {} })
  state.query("SELECT 1")
  state.close()
  state.close()
})

/** A database that counts what runs in it. */
function counting(inner: LocalDatabase): { database: LocalDatabase; count: { runs: number } } {
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

function failingWith(inner: LocalDatabase, error: Error): LocalDatabase {
  return withStatements(inner, (statement) => ({
    columns: statement.columns,
    run: () => {
      throw error
    },
    all: (values) => statement.all(values),
    finalize: () => statement.finalize(),
  }))
}

function withStatements(
  inner: LocalDatabase,
  change: (statement: SqlStatement) => SqlStatement,
): LocalDatabase {
  return {
    exec: (sql) => inner.exec(sql),
    prepare: (sql) => change(inner.prepare(sql)),
    atomically: (work) => inner.atomically(work),
    close: () => inner.close(),
    image: () => inner.image(),
  }
}
