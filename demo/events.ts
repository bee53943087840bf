import { defineStream } from "headwater"
import { z } from "zod"

/*
 * What can happen at the market. Two streams: what there is to sell, and what becomes of each order. Prices are in
 * cents, so that sums are exact.
 */

const sku = z.string().regex(/^[a-z0-9-]{1,40}$/, "a product is named by a-z, 0-9 and -")
const price = z
  .int("a price is needed, such as 3.50")
  .min(1, "a price is above 0")
  .max(1_000_000, "up to 10,000")
const quantity = z.int("a whole number is needed").min(1, "at least 1").max(100_000, "at most 100,000")
const order = z.uuid()
const till = z.string().trim().min(1, "a till needs a name").max(24, "a till's name has up to 24 letters")

export const catalogue = defineStream({
  "product.added": z.object({
    sku,
    name: z.string().trim().min(1, "a product needs a name").max(60, "a name has up to 60 letters"),
    price,
    stock: z.int("a whole number is needed").min(0, "at least 0").max(100_000, "at most 100,000"),
    till,
  }),
  "product.repriced": z.object({ sku, price, till }),
  "product.restocked": z.object({ sku, quantity, till }),
})

export const orders = defineStream({
  /** The price is the one that the customer was told: a later one changes nothing about this sale. */
  "order.placed": z.object({ order, sku, quantity, price, till }),
  "order.shipped": z.object({ order, till }),
  "order.cancelled": z.object({ order, till }),
})
