import type { LocalDatabase } from "../../client/host.ts"
import { openViewState } from "../../client/state/open-view-state.ts"
import type { ViewState } from "../../client/state/view-state.ts"
import type { EventId, StreamPath } from "../../shared/ids.ts"
import type { SqlValue } from "../../shared/sql.ts"
import type { ViewData } from "../../shared/view/definition.ts"

/**
 * A view of two sources for tests, with every kind of handler: upsert, update, several statements, JSON,
 * failure.
 */
export const ORDER_VIEW: ViewData = {
  orders: {
    tables: [
      `CREATE TABLE orders (id TEXT PRIMARY KEY, quantity INTEGER CHECK (quantity < 100), note TEXT) STRICT`,
      `CREATE TABLE lines ("order" TEXT, sku TEXT, PRIMARY KEY ("order", sku)) STRICT, WITHOUT ROWID`,
      `CREATE INDEX lines_by_sku ON lines (sku)`,
    ],
    on: {
      "order.placed": [
        `INSERT INTO orders VALUES (:order, :quantity, :note)
          ON CONFLICT (id) DO UPDATE SET quantity = quantity + :quantity`,
      ],
      "order.noted": [`UPDATE orders SET note = coalesce(note, '') || :note WHERE id = :order`],
      "order.lined": [
        `DELETE FROM lines WHERE "order" = :order`,
        `INSERT INTO lines SELECT :order, value FROM json_each(:skus)`,
      ],
    },
  },
  products: {
    tables: [`CREATE TABLE products (sku TEXT PRIMARY KEY, name TEXT) STRICT`],
    on: {
      "product.named": [
        `INSERT INTO products VALUES (:sku, :name) ON CONFLICT (sku) DO UPDATE SET name = :name`,
      ],
    },
  },
}

export const ORDERS = "acme/orders" as StreamPath
export const PRODUCTS = "acme/products" as StreamPath
const ORDER_STREAMS = { orders: ORDERS, products: PRODUCTS }

export type OrderEvent = {
  readonly id: EventId
  readonly type: string
  readonly data: Record<string, unknown>
}

/** The view in an empty database. */
export function openOrders(database: LocalDatabase): ViewState {
  return openViewState(database, { name: "shop", view: ORDER_VIEW, streams: ORDER_STREAMS, skips: [] })
}

let ids = 0

/** An event that has not been before. */
export function event(type: string, data: Record<string, unknown>): OrderEvent {
  ids++
  return { id: `e${ids}` as EventId, type, data }
}

/** More than 99 of one order fail the table's CHECK. */
export function placed(order: string, quantity = 1): OrderEvent {
  return event("order.placed", { order, quantity })
}

/** Which orders the state has. */
export function idsOf(state: ViewState): SqlValue[] {
  return state.query("SELECT id FROM orders ORDER BY id").map(({ id }) => id ?? null)
}

/** What the view's tables hold, in one order. */
export type OrderRows = {
  readonly orders: readonly (readonly SqlValue[])[]
  readonly lines: readonly (readonly SqlValue[])[]
  readonly products: readonly (readonly SqlValue[])[]
}

/** The same fold as the view's, without SQL. */
export function foldOrders(messages: {
  readonly orders: readonly unknown[]
  readonly products: readonly unknown[]
}): OrderRows {
  const orders = new Map<string, [number, string | null]>()
  const lines = new Map<string, Set<string>>()
  const products = new Map<string, string>()
  for (const { type, data } of ofType(messages.orders)) {
    const order = String(data.order)
    if (type === "order.placed" && !place(orders, order, data)) break
    const known = orders.get(order)
    if (type === "order.noted" && known !== undefined) {
      orders.set(order, [known[0], data.note === undefined ? null : (known[1] ?? "") + String(data.note)])
    }
    if (type === "order.lined") {
      const skus = data.skus as string[]
      if (new Set(skus).size < skus.length) break // UNIQUE refuses: the source stands still
      lines.set(order, new Set(skus))
    }
  }
  for (const { type, data } of ofType(messages.products)) {
    if (type === "product.named") products.set(String(data.sku), String(data.name))
  }
  return {
    orders: sorted([...orders].map(([id, [quantity, note]]) => [id, quantity, note])),
    lines: sorted([...lines].flatMap(([order, skus]) => [...skus].map((sku) => [order, sku]))),
    products: sorted([...products]),
  }
}

function place(
  orders: Map<string, [number, string | null]>,
  order: string,
  data: OrderEvent["data"],
): boolean {
  const known = orders.get(order)
  const quantity = (known?.[0] ?? 0) + Number(data.quantity)
  if (quantity >= 100) return false
  orders.set(order, [quantity, known === undefined ? ((data.note as string | undefined) ?? null) : known[1]])
  return true
}

function ofType(messages: readonly unknown[]): OrderEvent[] {
  return messages.filter(
    (message): message is OrderEvent => typeof message === "object" && message !== null && "data" in message,
  )
}

function sorted(rows: (readonly SqlValue[])[]): (readonly SqlValue[])[] {
  return rows.sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1))
}

/** The rows of a state of this view, in the same form. */
export function readOrders(state: ViewState): OrderRows {
  const rows = (table: string): (readonly SqlValue[])[] =>
    sorted(state.query(`SELECT * FROM ${table}`).map((row) => Object.values(row)))
  return { orders: rows("orders"), lines: rows("lines"), products: rows("products") }
}
