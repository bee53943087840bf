import type { Stream } from "headwater"
import type { catalogue, orders } from "./events.ts"

export type Streams = {
  readonly catalogue: Stream<(typeof catalogue)["events"]>
  readonly orders: Stream<(typeof orders)["events"]>
}

/** Which events of this device the edge has not confirmed, at one moment. */
export type Pending = {
  readonly events: ReadonlySet<string>
  /** Pieces of each product in orders that wait. */
  readonly pieces: ReadonlyMap<string, number>
}

export async function readPending(streams: Streams): Promise<Pending> {
  const [products, sales] = await Promise.all([streams.catalogue.pending(), streams.orders.pending()])
  const pieces = new Map<string, number>()
  for (const { type, data } of sales) {
    if (type === "order.placed") pieces.set(data.sku, (pieces.get(data.sku) ?? 0) + data.quantity)
  }
  return { events: new Set([...products, ...sales].map(({ id }) => id)), pieces }
}
