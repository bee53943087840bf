import type { ClientStatus, StreamStatus } from "headwater"
import type { Panel } from "../board.ts"
import { byId, element, keyedList, type Part, setText } from "../dom.ts"
import type { Streams } from "../pending.ts"
import type { DropRow, Rows } from "../queries.ts"
import { count, counted } from "../words.ts"
import { drop } from "./drop.ts"

type Lane = {
  readonly path: string
  readonly title: string
  readonly drops: readonly DropRow[]
  readonly pending: ReadonlySet<string>
  readonly status: StreamStatus | undefined
  readonly isPaused: boolean
}

/** Each stream as a line of its last events, with what its connection is doing. */
export function riverPanel(streams: Streams): Panel {
  const lanes = keyedList<Lane>(byId("lanes", HTMLUListElement), ({ path }) => path, laneItem)
  const summary = byId("summary", HTMLParagraphElement)
  return ({ rows, pending, status }) => {
    const lane = (
      title: string,
      path: string,
      drops: keyof Pick<Rows, "ordersLane" | "catalogueLane">,
    ): Lane => ({
      title,
      path,
      drops: rows[drops],
      pending: pending.events,
      status: status.streams[path],
      isPaused: status.paused,
    })
    lanes([
      lane("Orders", streams.orders.path, "ordersLane"),
      lane("Catalogue", streams.catalogue.path, "catalogueLane"),
    ])
    setText(summary, summaryOf(status, pending.events.size))
  }
}

function summaryOf({ role, paused, streams }: ClientStatus, waiting: number): string {
  const tab =
    role === "leader"
      ? "This tab leads: it syncs for all tabs of the till"
      : "Another tab leads and syncs for this one"
  const isLive = Object.values(streams).every(({ connection }) => connection === "live")
  const owed =
    waiting === 0 ? "nothing waits" : `${counted(waiting, "event waits", "events wait")} on this device`
  const network = paused ? "off the network" : isLive ? "in step with the edge" : "not in step with the edge"
  return `${tab} · ${network} · ${owed}`
}

function laneItem({ title, path }: Lane): Part<Lane> {
  const state = element("span", { class: "lane-state" })
  const figures = element("p", { class: "lane-figures figure" })
  const fault = element("p", { class: "lane-fault" })
  const drops = element("div", { class: "lane-drops", "aria-hidden": "true" })
  const show = keyedList<DropRow & { isPending: boolean }>(
    drops,
    ({ event_id }) => event_id,
    ({ till }) => dropPart(till),
  )
  const head = element(
    "p",
    { class: "lane-head" },
    element("b", {}, title),
    " ",
    element("code", {}, path),
    " ",
    state,
  )
  let last: Lane | undefined
  const tell = () => {
    if (last !== undefined) setText(state, connectionOf(last))
  }
  setInterval(() => last?.status?.connection === "waiting" && tell(), COUNTDOWN_MS) // a lane stays for the page's life
  const lane = element("li", { class: "lane" }, head, figures, drops, fault)
  return {
    element: lane,
    update(next) {
      last = next
      tell()
      lane.dataset.connection = next.status?.connection ?? "idle"
      show(next.drops.map((row) => ({ ...row, isPending: next.pending.has(row.event_id) })))
      const waiting = next.status?.pending ?? 0
      const events = counted(next.drops[0]?.position ?? 0, "event")
      setText(figures, waiting === 0 ? events : `${events} · ${count(waiting)} waiting`)
      setText(fault, next.status?.lastError?.message ?? "")
    },
  }
}

const COUNTDOWN_MS = 250

function dropPart(till: string | null): Part<{ isPending: boolean }> {
  const made = drop(till)
  return { element: made, update: ({ isPending }) => void made.toggleAttribute("data-pending", isPending) }
}

function connectionOf({ status, isPaused }: Lane): string {
  switch (status?.connection) {
    case undefined:
    case "idle":
      return "not connected yet"
    case "paused":
      return isPaused ? "paused here" : "no network, says the browser"
    case "catching-up":
      return "catching up"
    case "creating":
      return "being made at the edge"
    case "opening":
      return "connecting"
    case "live":
      return "live"
    case "waiting":
      return `lost; again in ${secondsTo(status.retryAt)}`
    case "stopped":
      return `stopped: ${STOPS[status.stopReason ?? "closed"]}`
  }
}

function secondsTo(at: number | undefined): string {
  return `${Math.max(0, Math.ceil(((at ?? 0) - Date.now()) / 1000))} s`
}

const STOPS: Readonly<Record<NonNullable<StreamStatus["stopReason"]>, string>> = {
  closed: "the stream is closed",
  deleted: "the stream was deleted",
  diverged: "the edge's log is another one than this device has read",
  forbidden: "the edge does not let this till in",
  "not-json": "the stream holds bytes, not events",
  "rolled-back": "the edge was put back to an older copy of the stream",
}
