import { byId, element, keyedList, type Part, setText } from "../dom.ts"
import type { Measured } from "../stopwatch.ts"
import { count, duration } from "../words.ts"

/** How long the last actions took. */
export function ledger(): (measured: readonly Measured[]) => void {
  return keyedList<Measured>(byId("ledger", HTMLTableSectionElement), ({ id }) => String(id), ledgerRow)
}

function ledgerRow({ action, events }: Measured): Part<Measured> {
  const [shown, stored, confirmed] = [figure(), figure(), figure()]
  return {
    element: element(
      "tr",
      {},
      element("th", { scope: "row" }, action),
      element("td", { class: "figure" }, count(events)),
      shown,
      stored,
      confirmed,
    ),
    update({ shownMs, storedMs, confirmedMs, failure }) {
      write(shown, shownMs, failure)
      write(stored, storedMs, failure)
      write(confirmed, confirmedMs, failure)
    },
  }
}

const figure = () => element("td", { class: "figure" })

function write(cell: HTMLElement, ms: number | undefined, failure: string | undefined): void {
  setText(cell, ms === undefined ? (failure ?? "waits") : duration(ms))
  cell.toggleAttribute("data-pending", ms === undefined && failure === undefined)
  cell.toggleAttribute("data-failed", ms === undefined && failure !== undefined)
}
