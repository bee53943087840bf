import type { Panel } from "../board.ts"
import { byId, element, keyedList, type Part, setText } from "../dom.ts"
import type { LogRow } from "../queries.ts"
import { count, euros, ticket, timeOfDay } from "../words.ts"
import { drop } from "./drop.ts"

type Item = { readonly row: LogRow; readonly isPending: boolean }

/** The end of both logs, in sentences. */
export function logPanel(): Panel {
  const empty = byId("log-empty", HTMLParagraphElement)
  const show = keyedList<Item>(byId("log", HTMLOListElement), ({ row }) => row.event_id, logItem)
  return ({ rows: { log }, pending }) => {
    empty.hidden = log.length > 0
    show(log.map((row) => ({ row, isPending: pending.events.has(row.event_id) })))
  }
}

function logItem({ row }: Item): Part<Item> {
  const mark = drop(row.till)
  const text = element("span", { class: "log-text" })
  const state = element("span", { class: "log-state" })
  const time = element("time", { class: "figure", datetime: row.time ?? "" }, timeOfDay(row.time ?? ""))
  return {
    element: element("li", {}, mark, text, state, time),
    update(item) {
      setText(text, `${item.row.till ?? "Somebody"} ${sentence(item.row)}`)
      setText(state, item.isPending ? "waits" : "")
      mark.toggleAttribute("data-pending", item.isPending)
    },
  }
}

function sentence({ type, name, figure, order }: LogRow): string {
  const what = name ?? "something"
  const number = count(figure ?? 0)
  switch (type) {
    case "product.added":
      return `brought ${number} × ${what}`
    case "product.repriced":
      return `asks ${euros(figure ?? 0)} for ${what}`
    case "product.restocked":
      return `brought ${number} more × ${what}`
    case "order.placed":
      return `sold ${number} × ${what}`
    case "order.shipped":
      return `shipped ${ticket(order ?? "")}, ${number} × ${what}`
    case "order.cancelled":
      return `cancelled ${ticket(order ?? "")}, ${number} × ${what}`
    default:
      return type
  }
}
