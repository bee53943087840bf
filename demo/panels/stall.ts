import type { Panel } from "../board.ts"
import { button, byId, element, keyedList, type Part, setText } from "../dom.ts"
import type { Market } from "../market.ts"
import type { Pending } from "../pending.ts"
import type { ProductRow } from "../queries.ts"
import { CRATE } from "../sample.ts"
import { cents, count, counted, euros } from "../words.ts"

type Item = { readonly product: ProductRow; readonly pending: Pending }

/** Runs what a click asks for; whatever goes wrong is shown. */
export type Act = (action: () => Promise<void>) => void

/** What there is to sell. */
export function stallPanel(market: Market, act: Act): Panel {
  const fill = byId("fill", HTMLButtonElement)
  fill.addEventListener("click", () => act(() => market.setUp()))
  const show = keyedList<Item>(
    byId("product-rows", HTMLTableSectionElement),
    ({ product }) => product.sku,
    (item) => productRow(item, market, act),
  )
  return ({ rows: { products, totals }, pending }) => {
    byId("stall-empty", HTMLDivElement).hidden = products.length > 0
    byId("products", HTMLTableElement).hidden = products.length === 0
    const { sold = 0, revenue = 0 } = totals[0] ?? {}
    setText(
      byId("takings", HTMLParagraphElement),
      sold === 0 ? "" : `${count(sold)} sold · ${euros(revenue)}`,
    )
    show(products.map((product) => ({ product, pending })))
  }
}

function productRow(first: Item, market: Market, act: Act): Part<Item> {
  let { product } = first
  const name = element("span", { class: "product-name" })
  const waits = element("span", { class: "waits" })
  const left = element("td", { role: "cell", class: "figure left", "data-label": "left" })
  const sold = element("td", { role: "cell", class: "figure", "data-label": "sold" })
  const revenue = element("td", { role: "cell", class: "figure revenue" })
  const price = priceField(
    () => product,
    (to) => act(() => market.reprice(product, to)),
  )
  const sell = button("Sell", () => act(() => market.sell(product)), { class: "primary" })
  const crate = button(`+${CRATE}`, () => act(() => market.restock(product)))
  const row = element(
    "tr",
    { role: "row" },
    element("th", { role: "rowheader", scope: "row" }, name, " ", waits),
    element("td", { role: "cell", class: "figure price" }, price.field),
    left,
    sold,
    revenue,
    element("td", { role: "cell", class: "action-cell" }, element("span", { class: "actions" }, crate, sell)),
  )
  return {
    element: row,
    update(item) {
      product = item.product
      setText(name, product.name)
      setText(waits, waiting(item))
      setText(left, product.left < 0 ? `${count(-product.left)} short` : count(product.left))
      left.toggleAttribute("data-out", product.left <= 0)
      setText(sold, count(product.sold))
      setText(revenue, euros(product.revenue))
      price.update()
      sell.disabled = product.left <= 0
      sell.setAttribute("aria-label", `Sell one: ${product.name}`)
      crate.setAttribute("aria-label", `${CRATE} more: ${product.name}`)
    },
  }
}

function waiting({ product, pending }: Item): string {
  const pieces = pending.pieces.get(product.sku)
  if (pieces !== undefined) return `${counted(pieces, "sale waits", "sales wait")}`
  return pending.events.has(product.event_id) ? "change waits" : ""
}

/** A price that is edited where it stands. What others do to it meanwhile shows once it is left. */
function priceField(product: () => ProductRow, onPrice: (price: number) => void) {
  const field = element("input", { inputmode: "decimal", class: "figure price-field" })
  const written = () => (product().price / 100).toFixed(2)
  const update = () => {
    field.setAttribute("aria-label", `Price of ${product().name} in euros`)
    if (document.activeElement !== field) field.value = written()
  }
  field.addEventListener("change", () => {
    const price = cents(field.value)
    if (price !== product().price) onPrice(price)
  })
  field.addEventListener("blur", update)
  field.addEventListener("keydown", ({ key }) => {
    if (key === "Escape") field.value = written()
    if (key === "Enter" || key === "Escape") field.blur()
  })
  return { field, update }
}
