import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { LocalDatabase } from "../../client/host.ts"
import type { ViewState } from "../../client/state/view-state.ts"
import type { EventId } from "../../shared/ids.ts"
import {
  foldOrders,
  ORDERS,
  type OrderEvent,
  openOrders,
  PRODUCTS,
  readOrders,
} from "../support/order-view.ts"

type Side = "orders" | "products"
const STREAM = { orders: ORDERS, products: PRODUCTS }

const key = fc.constantFrom("a", "b", "__proto__", "it's", "\u0000", "é\u{1f30a}")
const order = fc.oneof(
  fc.record({
    type: fc.constant("order.placed"),
    data: fc.record(
      { order: key, quantity: fc.integer({ min: 0, max: 40 }), note: key },
      { requiredKeys: ["order", "quantity"] },
    ),
  }),
  fc.record({ type: fc.constant("order.noted"), data: fc.record({ order: key, note: key }) }),
  fc.record({
    type: fc.constant("order.lined"),
    data: fc.record({ order: key, skus: fc.array(key, { maxLength: 3 }) }),
  }),
  fc.record({ type: fc.constant("order.unheard-of"), data: fc.record({ order: key }) }),
)
const product = fc.record({ type: fc.constant("product.named"), data: fc.record({ sku: key, name: key }) })
const events = fc.record({
  orders: fc.array(order, { maxLength: 4 }),
  products: fc.array(product, { maxLength: 3 }),
})

/** What happens to a client. Events of others arrive in front of, among or behind its own. */
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("append" as const), events }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("confirm" as const),
      count: fc.nat(5),
      others: fc.oneof({ weight: 2, arbitrary: fc.constant({ orders: [], products: [] }) }, events),
      at: fc.nat(5),
      parts: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("reject" as const), count: fc.nat(3) }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** A client's log and outbox as plain arrays, beside the state under test. */
class World {
  readonly confirmed: Record<Side, unknown[]> = { orders: [], products: [] }
  readonly pending: Record<Side, OrderEvent[]> = { orders: [], products: [] }
  readonly #state: ViewState
  #ids = 0

  constructor(state: ViewState) {
    this.#state = state
  }

  take(step: Step): void {
    if (step.kind === "append") this.#append(step.events)
    else if (step.kind === "confirm") this.#confirm(step)
    else this.#reject(step.count)
  }

  expectedRows(): ReturnType<typeof foldOrders> {
    return foldOrders({
      orders: [...this.confirmed.orders, ...this.pending.orders],
      products: [...this.confirmed.products, ...this.pending.products],
    })
  }

  batchesOf(
    log: Record<Side, readonly unknown[]>,
  ): { stream: typeof ORDERS; messages: readonly unknown[] }[] {
    return (["products", "orders"] as const).map((side) => ({ stream: STREAM[side], messages: log[side] }))
  }

  #append(drawn: Record<Side, readonly Omit<OrderEvent, "id">[]>): void {
    for (const side of ["orders", "products"] as const) {
      const fresh = this.#named(drawn[side])
      this.pending[side].push(...fresh)
      this.#state.addPending(STREAM[side], fresh)
    }
  }

  #confirm({ count, others, at, parts }: Extract<Step, { kind: "confirm" }>): void {
    const page: Record<Side, unknown[]> = { orders: [], products: [] }
    for (const side of ["orders", "products"] as const) {
      page[side] = this.pending[side].splice(0, count)
      page[side].splice(at, 0, ...this.#named(others[side]), "not an event", {
        type: "order.placed",
      })
      this.confirmed[side].push(...page[side])
    }
    const inParts = this.batchesOf(page).flatMap(({ stream, messages }) => [
      { stream, messages: messages.slice(0, parts) },
      { stream, messages: messages.slice(parts) },
    ])
    this.#state.rebase(inParts, this.batchesOf(this.pending))
  }

  #reject(count: number): void {
    for (const side of ["orders", "products"] as const) this.pending[side].splice(0, count)
    this.#state.rebase([], this.batchesOf(this.pending))
  }

  #named(drawn: readonly Omit<OrderEvent, "id">[]): OrderEvent[] {
    return drawn.map((event) => {
      this.#ids++
      return { ...event, id: `event-${this.#ids}` as EventId }
    })
  }
}

/** The rules of a view's rows, on any implementation of the database port. */
export function describeViewState(name: string, open: () => Promise<LocalDatabase>, numRuns: number): void {
  describe(`view state contract: ${name}`, () => {
    test("[VIEW9] rows are the fold of the log and then of what is pending, whatever happened", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const state = openOrders(await open())
          const world = new World(state)
          let live: readonly unknown[] = []
          const { next } = state.live(
            'SELECT * FROM orders JOIN lines ON id = "order" ORDER BY id, sku',
            [],
            {
              onRows: (rows) => {
                live = rows
              },
              onError: (error) => expect.fail(error.message),
            },
          )
          next()
          for (const each of steps) {
            world.take(each)
            state.flush()
            next()
            expect(readOrders(state)).toEqual(world.expectedRows())
            expect(live).toEqual(
              state.query('SELECT * FROM orders JOIN lines ON id = "order" ORDER BY id, sku'),
            )
          }
          const fresh = openOrders(await open())
          fresh.rebase(world.batchesOf(world.confirmed), world.batchesOf(world.pending))
          expect(readOrders(fresh)).toEqual(readOrders(state))
          fresh.close()
          state.close()
        }),
        { numRuns, seed: 20_261_123 },
      )
    })
  })
}
