/*
 * What the page asks the view, and what it gets. Each of these stays live.
 */

export type ProductRow = {
  sku: string
  name: string
  price: number
  left: number
  sold: number
  revenue: number
  event_id: string
}

/** `short`: everything there was had gone to orders before this one. */
export type OrderRow = {
  id: string
  name: string | null
  quantity: number
  price: number
  till: string | null
  short: number
  event_id: string
}

export type TotalsRow = { open: number; short: number; sold: number; revenue: number }

export type LogRow = {
  event_id: string
  type: string
  time: string | null
  till: string | null
  order: string | null
  name: string | null
  figure: number | null
}

export type DropRow = { event_id: string; position: number; type: string; till: string | null }

/** Everything the page shows, by the name of its query. */
export type Rows = {
  products: ProductRow[]
  orders: OrderRow[]
  totals: TotalsRow[]
  log: LogRow[]
  ordersLane: DropRow[]
  catalogueLane: DropRow[]
}

const ORDERS_SHOWN = 7
const LOG_SHOWN = 12
const DROPS_SHOWN = 90

const lane = (table: string) =>
  `SELECT event_id, position, type, till FROM ${table} ORDER BY position DESC LIMIT ${DROPS_SHOWN}`

export const QUERIES: { readonly [Name in keyof Rows]: string } = {
  products: `
    SELECT p.sku, p.name, p.price, p.event_id,
      p.stock - coalesce(s.sold, 0) AS "left", coalesce(s.sold, 0) AS sold, coalesce(s.revenue, 0) AS revenue
    FROM products p LEFT JOIN sales s USING (sku)
    ORDER BY p.name`,
  orders: `
    SELECT o.id, coalesce(p.name, o.sku) AS name, o.quantity, o.price, o.till, o.event_id,
      o.turn > coalesce(p.stock, 0) AS short
    FROM orders o LEFT JOIN products p USING (sku)
    WHERE o.state = 'open' ORDER BY o.position DESC LIMIT ${ORDERS_SHOWN}`,
  totals: `
    SELECT coalesce(sum(open), 0) AS open, coalesce(sum(sold), 0) AS sold, coalesce(sum(revenue), 0) AS revenue,
      (SELECT count(*) FROM orders o JOIN products p USING (sku) WHERE o.state = 'open' AND o.turn > p.stock) AS short
    FROM sales`,
  log: `
    SELECT l.event_id, type, time, till, "order", coalesce(p.name, sku) AS name, figure FROM (
      SELECT * FROM (SELECT event_id, type, time, till, "order", sku, quantity AS figure
        FROM order_log ORDER BY position DESC LIMIT ${LOG_SHOWN})
      UNION ALL
      SELECT * FROM (SELECT event_id, type, time, till, NULL, sku, figure
        FROM catalogue_log ORDER BY position DESC LIMIT ${LOG_SHOWN})
    ) l LEFT JOIN products p USING (sku) ORDER BY time DESC, "order" LIMIT ${LOG_SHOWN}`,
  ordersLane: lane("order_log"),
  catalogueLane: lane("catalogue_log"),
}

/** Open orders that can be shipped from what there is. */
export const SHIPPABLE = `
  SELECT o.id FROM orders o JOIN products p USING (sku)
  WHERE o.state = 'open' AND o.turn <= p.stock ORDER BY o.position`
