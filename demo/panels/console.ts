import type { PastView, Row, View } from "headwater"
import { byId, element, setText } from "../dom.ts"
import type { Streams } from "../pending.ts"
import { count, counted, inWords } from "../words.ts"
import { pastSlider } from "./past.ts"

const ROWS_SHOWN = 200

const EXAMPLES: readonly (readonly [name: string, sql: string])[] = [
  [
    "Best sellers",
    `SELECT p.name, s.sold, s.revenue / 100.0 AS euros, s.open AS open_orders
FROM products p JOIN sales s USING (sku)
ORDER BY s.revenue DESC`,
  ],
  [
    "Who sells what",
    `SELECT o.till, p.name, count(*) AS orders, sum(o.quantity) AS pieces
FROM orders o JOIN products p USING (sku)
WHERE o.state <> 'cancelled'
GROUP BY o.till, p.name ORDER BY pieces DESC`,
  ],
  [
    "Sales by the minute",
    `SELECT strftime('%H:%M', time) AS minute, count(*) AS orders, sum(quantity) AS pieces
FROM order_log WHERE type = 'order.placed'
GROUP BY minute ORDER BY minute DESC`,
  ],
  [
    "Came too late",
    `SELECT o.position, o.till, p.name, o.quantity, o.turn, p.stock
FROM orders o JOIN products p USING (sku)
WHERE o.state = 'open' AND o.turn > p.stock ORDER BY o.position`,
  ],
  [
    "The log of the catalogue",
    `SELECT position, type, till, sku, figure FROM catalogue_log ORDER BY position DESC`,
  ],
]

/** The tables that can be asked, with their columns. */
const TABLES: Readonly<Record<string, string>> = {
  products: "sku, name, price, stock, event_id",
  sales: "sku, sold, revenue, open",
  orders: "position, id, sku, quantity, price, turn, state, till, event_id",
  order_log: "position, event_id, type, time, till, order, sku, quantity",
  catalogue_log: "position, event_id, type, time, till, sku, figure",
}

/** A place to ask anything of the view, as it is or as it was. One question at a time is followed. */
export function sqlConsole(view: View, streams: Streams): void {
  const sql = byId("sql", HTMLTextAreaElement)
  const form = byId("console", HTMLFormElement)
  let stop = () => {}
  const askAt = async (past: PastView | undefined) => {
    stop()
    stop = past === undefined ? follow(view, sql.value) : () => {}
    if (past !== undefined) await look(past, sql.value)
  }
  const ask = pastSlider(view, streams, askAt, (reason) => tell(inWords(reason)))
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    ask()
  })
  sql.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
  const examples = byId("examples", HTMLSelectElement)
  examples.append(...EXAMPLES.map(([name, text]) => element("option", { value: text }, name)))
  examples.addEventListener("change", () => {
    sql.value = examples.value
    ask()
  })
  const tables = Object.entries(TABLES).map(([name, columns]) =>
    element("li", {}, element("b", {}, name), ` ${columns}`),
  )
  byId("console-tables", HTMLUListElement).append(...tables)
  sql.value = examples.value
  ask()
}

function follow(view: View, sql: string): () => void {
  let answers = 0
  const onRows = (rows: Row[]) => {
    answers++
    show(rows, `answered ${counted(answers, "time")}`)
  }
  return view.live(sql, [], onRows, (reason) => tell(inWords(reason)))
}

async function look(past: PastView, sql: string): Promise<void> {
  try {
    show(await past.query(sql), "as it was")
  } catch (reason) {
    tell(inWords(reason))
  }
}

function show(rows: readonly Row[], how: string): void {
  const answer = byId("console-rows", HTMLElement)
  setText(byId("console-error", HTMLParagraphElement), "")
  setText(byId("console-state", HTMLParagraphElement), `${counted(rows.length, "row")} · ${how}`)
  answer.replaceChildren(rows.length === 0 ? element("p", { class: "quiet" }, "No rows.") : table(rows))
}

/** What went wrong, in place of an answer. */
function tell(error: string): void {
  setText(byId("console-error", HTMLParagraphElement), error)
  setText(byId("console-state", HTMLParagraphElement), "")
  byId("console-rows", HTMLElement).replaceChildren()
}

function table(rows: readonly Row[]): HTMLElement {
  const columns = Object.keys(rows[0] ?? {})
  const head = element("tr", {}, ...columns.map((column) => element("th", { scope: "col" }, column)))
  const body = rows
    .slice(0, ROWS_SHOWN)
    .map((row) => element("tr", {}, ...columns.map((column) => cell(row[column]))))
  const made = element("table", {}, element("thead", {}, head), element("tbody", {}, ...body))
  if (rows.length > ROWS_SHOWN) {
    made.append(
      element("caption", { class: "quiet" }, `the first ${ROWS_SHOWN} of ${count(rows.length)} rows`),
    )
  }
  return made
}

function cell(value: Row[string] | undefined): HTMLElement {
  if (value === null || value === undefined) return element("td", { class: "quiet" }, "NULL")
  return element("td", typeof value === "number" ? { class: "figure" } : {}, String(value))
}
