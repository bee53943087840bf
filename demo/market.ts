import type { Receipt, View } from "headwater"
import type { Streams } from "./pending.ts"
import { type OrderRow, type ProductRow, SHIPPABLE } from "./queries.ts"
import { CRATE, crowd, deliveries, type Purchase, SAMPLE, skuOf } from "./sample.ts"
import type { Stopwatch } from "./stopwatch.ts"
import { counted } from "./words.ts"

export type NewProduct = { readonly name: string; readonly price: number; readonly stock: number }

/** What a till can do. Each method appends events and nothing else; the tables follow. */
export class Market {
  readonly #streams: Streams
  readonly #view: View
  readonly #watch: Stopwatch
  readonly #till: () => string

  constructor(streams: Streams, view: View, watch: Stopwatch, till: () => string) {
    this.#streams = streams
    this.#view = view
    this.#watch = watch
    this.#till = till
  }

  setUp(): Promise<void> {
    const proof = {
      sql: "SELECT 1 FROM products WHERE sku = ?",
      params: [SAMPLE[SAMPLE.length - 1]?.sku ?? ""],
    }
    return this.#watch.time("The stall set up", proof, () =>
      SAMPLE.map((product) =>
        this.#streams.catalogue.append("product.added", { ...product, till: this.#till() }),
      ),
    )
  }

  add({ name, price, stock }: NewProduct): Promise<void> {
    const sku = `${skuOf(name)}-${crypto.randomUUID().slice(0, 6)}`
    const proof = { sql: "SELECT 1 FROM products WHERE sku = ?", params: [sku] }
    return this.#watch.time("A new product", proof, () => [
      this.#streams.catalogue.append("product.added", { sku, name, price, stock, till: this.#till() }),
    ])
  }

  reprice({ sku, name }: ProductRow, price: number): Promise<void> {
    const proof = { sql: "SELECT 1 FROM products WHERE sku = ? AND price = ?", params: [sku, price] }
    return this.#watch.time(`A new price: ${name}`, proof, () => [
      this.#streams.catalogue.append("product.repriced", { sku, price, till: this.#till() }),
    ])
  }

  restock({ sku, name, left, sold }: ProductRow): Promise<void> {
    const proof = {
      sql: "SELECT 1 FROM products WHERE sku = ? AND stock >= ?",
      params: [sku, left + sold + CRATE],
    }
    return this.#watch.time(`A crate: ${name}`, proof, () => [
      this.#streams.catalogue.append("product.restocked", { sku, quantity: CRATE, till: this.#till() }),
    ])
  }

  sell(product: ProductRow): Promise<void> {
    const order = crypto.randomUUID()
    return this.#watch.time(`Sold: ${product.name}`, isPlaced(order), () => [
      this.#place(order, { product, quantity: 1 }),
    ])
  }

  ship({ id, name }: OrderRow): Promise<void> {
    return this.#watch.time(`Shipped: ${name}`, isClosed(id), () => [this.#ship(id)])
  }

  cancel({ id, name }: OrderRow): Promise<void> {
    return this.#watch.time(`Cancelled: ${name}`, isClosed(id), () => [
      this.#streams.orders.append("order.cancelled", { order: id, till: this.#till() }),
    ])
  }

  /** Ships every open order that there are pieces for. */
  async shipAll(): Promise<void> {
    const ready = await this.#view.query<{ id: string }>(SHIPPABLE)
    const last = ready.at(-1)
    if (last === undefined) return
    const action = `${counted(ready.length, "order")} shipped`
    await this.#watch.time(action, isClosed(last.id), () => ready.map(({ id }) => this.#ship(id)))
  }

  /** Many orders in one task, after a delivery of what they need. */
  busyHour(products: readonly ProductRow[], customers: number): Promise<void> {
    const purchases = crowd(products, customers).map((purchase) => ({ ...purchase, id: crypto.randomUUID() }))
    const last = purchases.at(-1)
    if (last === undefined) return Promise.resolve()
    return this.#watch.time(counted(purchases.length, "customer"), isPlaced(last.id), () => [
      ...deliveries(purchases).map(({ product: { sku }, quantity }) =>
        this.#streams.catalogue.append("product.restocked", { sku, quantity, till: this.#till() }),
      ),
      ...purchases.map((purchase) => this.#place(purchase.id, purchase)),
    ])
  }

  #place(order: string, { product: { sku, price }, quantity }: Purchase): Promise<Receipt> {
    return this.#streams.orders.append("order.placed", { order, sku, quantity, price, till: this.#till() })
  }

  #ship(order: string): Promise<Receipt> {
    return this.#streams.orders.append("order.shipped", { order, till: this.#till() })
  }
}

const isPlaced = (order: string) => ({ sql: "SELECT 1 FROM orders WHERE id = ?", params: [order] })

const isClosed = (order: string) => ({
  sql: "SELECT 1 FROM orders WHERE id = ? AND state <> 'open'",
  params: [order],
})
