import type { Panel } from "../board.ts"
import { button, byId, element, keyedList, type Part, setText } from "../dom.ts"
import type { Market } from "../market.ts"
import type { OrderRow } from "../queries.ts"
import { count, counted, euros, ticket } from "../words.ts"
import { drop } from "./drop.ts"
import type { Act } from "./stall.ts"

type Item = { readonly order: OrderRow; readonly isPending: boolean }

/** Orders that wait to be shipped, the newest first. */
export function ordersPanel(market: Market, act: Act): Panel {
  const shipAll = byId("ship-all", HTMLButtonElement)
  shipAll.addEventListener("click", () => act(() => market.shipAll()))
  const show = keyedList<Item>(
    byId("orders", HTMLOListElement),
    ({ order }) => order.id,
    (item) => orderItem(item, market, act),
  )
  return ({ rows: { orders, totals }, pending }) => {
    const { open = 0, short = 0 } = totals[0] ?? {}
    show(orders.map((order) => ({ order, isPending: pending.events.has(order.event_id) })))
    byId("orders-empty", HTMLParagraphElement).hidden = open > 0
    const figure = open === 0 ? "" : `${count(open)} open${short > 0 ? ` · ${count(short)} short` : ""}`
    setText(byId("orders-figure", HTMLParagraphElement), figure)
    const more = open > orders.length ? `and ${count(open - orders.length)} before these` : ""
    setText(byId("orders-more", HTMLParagraphElement), more)
    shipAll.hidden = open - short < 2
    setText(shipAll, `Ship ${counted(open - short, "order")}`)
  }
}

function orderItem({ order: { id, till, quantity, price } }: Item, market: Market, act: Act): Part<Item> {
  let order: OrderRow | undefined
  const withOrder = (action: (of: OrderRow) => Promise<void>) => () => {
    const of = order
    if (of !== undefined) act(() => action(of))
  }
  const mark = drop(till)
  const what = element("span", { class: "order-what" })
  const state = element("span", { class: "order-state" })
  const number = ticket(id)
  const ship = button(
    "Ship",
    withOrder((of) => market.ship(of)),
    { "aria-label": `Ship order ${number}` },
  )
  const cancel = button(
    "Cancel",
    withOrder((of) => market.cancel(of)),
    {
      class: "plain",
      "aria-label": `Cancel order ${number}`,
    },
  )
  const line = element("span", { class: "order-line" }, what, state)
  return {
    element: element("li", {}, mark, line, element("span", { class: "actions" }, cancel, ship)),
    update(item) {
      order = item.order
      mark.toggleAttribute("data-pending", item.isPending)
      setText(what, `${quantity} × ${order.name ?? "?"}`)
      const standing = order.short ? "short: it was gone before" : item.isPending ? "waits" : "confirmed"
      setText(state, `${number} · ${till ?? "somebody"} · ${euros(quantity * price)} · ${standing}`)
      state.toggleAttribute("data-short", Boolean(order.short))
      ship.disabled = Boolean(order.short)
    },
  }
}
