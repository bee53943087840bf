import type { Panel } from "../board.ts"
import { byId } from "../dom.ts"
import type { Market } from "../market.ts"
import type { ProductRow } from "../queries.ts"
import type { Act } from "./stall.ts"

/** Lets a crowd in: many events at once. */
export function rushPanel(market: Market, act: Act): Panel {
  const size = byId("rush-size", HTMLSelectElement)
  const start = byId("rush-start", HTMLButtonElement)
  let products: readonly ProductRow[] = []
  byId("rush", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault()
    act(() => market.busyHour(products, Number(size.value)))
  })
  return ({ rows }) => {
    products = rows.products
    start.disabled = products.length === 0
  }
}
