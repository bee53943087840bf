import type { FoldReport, QueryAnswer } from "../view/fold-reads.ts"
import type { Current } from "../view/view-core.ts"
import { refuse } from "./answer.ts"

export function noView(): Response {
  return refuse(404, "There is no such view.")
}

/** The view has no rows yet that would be whole. */
export function stillBuilding(): Response {
  return refuse(503, "The view is being built for the first time; ask how far it is with GET.", {
    "Retry-After": "1",
  })
}

/** What a query came to. */
export function queryResponse(answer: QueryAnswer): Response {
  switch (answer.kind) {
    case "rows": {
      const { columns, rows, cursor } = answer
      return Response.json({ columns, rows, cursor }, { headers: { "Cache-Control": "no-store" } })
    }
    case "invalid":
      return refuse(400, answer.message)
    case "too-much":
      return refuse(413, answer.message)
    case "behind": {
      const message = "The view has not folded so far in the time that the query waits."
      return Response.json({ message, cursor: answer.cursor }, { status: 504 })
    }
    case "no-fold":
      return noView()
  }
}

/** What a view is, and how it stands: of the generation that answers, or of the first one while there is none. */
export function viewResponse(
  name: string,
  current: Current,
  live?: FoldReport,
  building?: FoldReport,
): Response {
  const shown = live ?? building
  if (shown === undefined) return noView()
  const { view, streams } = shown.record
  const body = {
    name,
    view,
    streams,
    ...standing(shown),
    state: current.live === undefined ? "building" : "live",
    ...(live !== undefined && building !== undefined && { rebuild: rebuildOf(building) }),
  }
  return Response.json(body, { headers: { "Cache-Control": "no-store" } })
}

function rebuildOf(report: FoldReport) {
  const { view, streams } = report.record
  return { view, streams, ...standing(report) }
}

function standing({ generation, key, cursor, halts, skipped, rows, progress, leftOut }: FoldReport) {
  return { generation, key, cursor, halts, skipped, rows, progress, ...(leftOut > 0 && { leftOut }) }
}
