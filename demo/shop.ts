import { defineView } from "headwater"
import { catalogue, orders } from "./events.ts"

/*
 * The market as tables. An order's `turn` is how many pieces of its product were sold up to and including it, in the
 * order that the edge gave: once everybody has read the same log, everybody agrees whose order the last loaf went to.
 *
 * Sums per product are kept while folding, so that the queries of the page cost the same after a million orders.
 */

const OPEN = `SELECT position, sku, quantity, price FROM orders WHERE id = :order AND state = 'open'`

const orderLog = `INSERT INTO order_log (event_id, type, time, till, "order", sku, quantity) `

const close = (state: "shipped" | "cancelled") => [
  `UPDATE orders SET state = '${state}', event_id = :event_id WHERE id = :order AND state = 'open'`,
  `${orderLog} SELECT :event_id, :event_type, :event_time, :till, id, sku, quantity FROM orders WHERE id = :order`,
]

export const shop = defineView({
  catalogue: {
    from: catalogue,
    table: [
      `CREATE TABLE products (
        sku TEXT PRIMARY KEY, name TEXT NOT NULL, price INTEGER NOT NULL, stock INTEGER NOT NULL, event_id TEXT NOT NULL
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE catalogue_log (
        position INTEGER PRIMARY KEY, event_id TEXT NOT NULL, type TEXT NOT NULL, time TEXT, till TEXT,
        sku TEXT, figure INTEGER
      ) STRICT`,
    ],
    on: {
      "product.added": [
        `INSERT INTO products (sku, name, price, stock, event_id) VALUES (:sku, :name, :price, :stock, :event_id)
          ON CONFLICT DO NOTHING`,
        `INSERT INTO catalogue_log (event_id, type, time, till, sku, figure)
          VALUES (:event_id, :event_type, :event_time, :till, :sku, :stock)`,
      ],
      "product.repriced": [
        `UPDATE products SET price = :price, event_id = :event_id WHERE sku = :sku`,
        `INSERT INTO catalogue_log (event_id, type, time, till, sku, figure)
          VALUES (:event_id, :event_type, :event_time, :till, :sku, :price)`,
      ],
      "product.restocked": [
        `UPDATE products SET stock = stock + :quantity, event_id = :event_id WHERE sku = :sku`,
        `INSERT INTO catalogue_log (event_id, type, time, till, sku, figure)
          VALUES (:event_id, :event_type, :event_time, :till, :sku, :quantity)`,
      ],
    },
  },
  orders: {
    from: orders,
    table: [
      `CREATE TABLE orders (
        position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, sku TEXT NOT NULL, quantity INTEGER NOT NULL,
        price INTEGER NOT NULL, turn INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'open', till TEXT,
        event_id TEXT NOT NULL
      ) STRICT`,
      `CREATE INDEX orders_by_sku ON orders (sku)`,
      `CREATE INDEX orders_by_state ON orders (state)`,
      `CREATE TABLE sales (
        sku TEXT PRIMARY KEY, sold INTEGER NOT NULL, revenue INTEGER NOT NULL, open INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID`,
      `CREATE TABLE order_log (
        position INTEGER PRIMARY KEY, event_id TEXT NOT NULL, type TEXT NOT NULL, time TEXT, till TEXT,
        "order" TEXT, sku TEXT, quantity INTEGER
      ) STRICT`,
    ],
    on: {
      "order.placed": [
        `INSERT INTO sales (sku, sold, revenue, open)
          SELECT :sku, :quantity, :quantity * :price, 1 WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = :order)
          ON CONFLICT DO UPDATE SET
            sold = sold + excluded.sold, revenue = revenue + excluded.revenue, open = open + 1`,
        `INSERT INTO orders (id, sku, quantity, price, turn, till, event_id)
          SELECT :order, :sku, :quantity, :price, sold, :till, :event_id FROM sales WHERE sku = :sku
          ON CONFLICT DO NOTHING`,
        `${orderLog} VALUES (:event_id, :event_type, :event_time, :till, :order, :sku, :quantity)`,
      ],
      "order.shipped": [
        `UPDATE sales SET open = open - 1 FROM (${OPEN}) AS gone WHERE sales.sku = gone.sku`,
        ...close("shipped"),
      ],
      "order.cancelled": [
        `UPDATE sales SET
            open = open - 1, sold = sold - gone.quantity, revenue = revenue - gone.quantity * gone.price
          FROM (${OPEN}) AS gone WHERE sales.sku = gone.sku`,
        `UPDATE orders SET turn = turn - gone.quantity FROM (${OPEN}) AS gone
          WHERE orders.sku = gone.sku AND orders.position > gone.position`,
        ...close("cancelled"),
      ],
    },
  },
})
