import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defineStream } from "../../../shared/events.ts"
import { defineView, viewData, viewKey } from "../../../shared/view/definition.ts"

const orders = defineStream({
  "order.placed": z.object({ order: z.string() }),
  "order.cancelled": z.object({ order: z.string() }),
})
const catalogue = defineStream({ "product.named": z.object({ sku: z.string(), name: z.string() }) })

const shop = defineView({
  orders: {
    from: orders,
    table: "CREATE TABLE orders (id)",
    on: {
      "order.placed": "INSERT INTO orders VALUES (:order)",
      "order.cancelled": ["DELETE FROM orders WHERE id = :order"],
    },
  },
  products: { from: catalogue, table: ["CREATE TABLE products (sku, name)"], on: {} },
})

test("[VIEW6] a view becomes plain data that survives cloning and JSON", () => {
  const data = viewData(shop)
  expect(data).toEqual({
    orders: {
      tables: ["CREATE TABLE orders (id)"],
      on: {
        "order.placed": ["INSERT INTO orders VALUES (:order)"],
        "order.cancelled": ["DELETE FROM orders WHERE id = :order"],
      },
    },
    products: { tables: ["CREATE TABLE products (sku, name)"], on: {} },
  })
  expect(structuredClone(data)).toEqual(data)
  expect(JSON.parse(JSON.stringify(data))).toEqual(data)
})

test("[VIEW6] the key is the same for any order of sources and types, and another for any other text", () => {
  const data = viewData(shop)
  const reversed = Object.fromEntries(
    Object.entries(data)
      .reverse()
      .map(([source, { tables, on }]) => [
        source,
        { tables, on: Object.fromEntries(Object.entries(on).reverse()) },
      ]),
  )
  expect(Object.keys(reversed)).not.toEqual(Object.keys(data))
  expect(viewKey(reversed)).toBe(viewKey(data))
  expect(viewKey({ ...data, products: { tables: ["CREATE TABLE products (sku)"], on: {} } })).not.toBe(
    viewKey(data),
  )
})

test("[VIEW6] types of other streams do not compile, and are refused from callers without types", () => {
  const misnamed = () =>
    defineView({
      orders: {
        from: orders,
        table: "CREATE TABLE orders (id)",
        on: {
          // @ts-expect-error the stream has no such event type
          "product.named": "DELETE FROM orders",
        },
      },
    })
  expect(misnamed).toThrow(
    `Source "orders" of a view handles "product.named"; its stream has order.placed, order.cancelled.`,
  )
})

test.each([
  [{}, "at least one source"],
  [
    { orders: { from: orders, on: {} } },
    `a SQL text or an array of them for the tables of source "orders"; got undefined`,
  ],
  [{ orders: { from: orders, table: [], on: {} } }, "got []"],
  [
    { orders: { from: orders, table: "x", on: { "order.placed": 7 } } },
    `source "orders", event "order.placed"; got 7`,
  ],
])("[VIEW6] %j is no view", (sources, message) => {
  expect(() => defineView(sources as unknown as Parameters<typeof defineView>[0])).toThrow(message)
})

describe("[VIEW20] each version of an event type has its own handler", () => {
  const text = z.object({ text: z.string() })
  const notes = defineStream({
    "note.made": text,
    "note.made@2": text,
    "note.made@3": text,
    "note.made.late": text,
  })
  const table = "CREATE TABLE notes (text)"
  const insert = "INSERT INTO notes VALUES (:text)"

  test("a version without one is refused by name", () => {
    const on = { "note.made@2": insert }
    expect(() => defineView({ notes: { from: notes, table, on } })).toThrow(
      `Source "notes" of a view handles some versions of a type and not note.made, note.made@3: expected a handler ` +
        "for each, or [] for one that is skipped.",
    )
  })

  test("an empty array skips one on purpose, and is the same as not to handle it", () => {
    const view = defineView({
      notes: { from: notes, table, on: { "note.made": [], "note.made@2": insert, "note.made@3": [insert] } },
    })
    expect(viewData(view).notes?.on).toEqual({ "note.made@2": [insert], "note.made@3": [insert] })
    expect(viewData(defineView({ notes: { from: notes, table, on: {} } })).notes?.on).toEqual({})
  })
})
