import { Hono, type MiddlewareHandler } from "hono"
import { isGrantedForAll, type Right } from "../../shared/grants.ts"
import type { HashAnswer } from "../view/fold-object.ts"
import type { FoldReport, QueryAnswer } from "../view/fold-reads.ts"
import { decodeQuery, decodeSkip } from "../view/view-asks.ts"
import { decodeViewClaim, foldName, type ViewClaim } from "../view/view-claim.ts"
import type { PutOutcome } from "../view/view-core.ts"
import { refuse } from "./answer.ts"
import { admit, identityOf } from "./guard.ts"
import { readBody, refuseBody } from "./request-body.ts"
import { pathFault } from "./stream-path.ts"
import { noView, queryResponse, viewResponse } from "./view-answers.ts"
import { onLive, type ViewContext, type ViewRoute } from "./view-route.ts"
import { rows, snapshot } from "./view-snapshots.ts"

const PREFIX = "/v1/view/"

/** What is asked of a view by another name than its own, and the right that it takes. */
const ACTIONS: ReadonlyMap<string, { readonly method: string; readonly right: Right }> = new Map([
  ["query", { method: "POST", right: "read" }],
  ["hash", { method: "GET", right: "read" }],
  ["snapshot", { method: "GET", right: "read" }],
  ["rows", { method: "GET", right: "read" }],
  ["skip", { method: "POST", right: "manage" }],
  ["rebuild", { method: "POST", right: "manage" }],
])

/** Views at the edge. A route keeps no state and decides nothing. */
export const viewRoutes = new Hono<ViewRoute>()

viewRoutes.use(`${PREFIX}*`, onView())

viewRoutes.put(`${PREFIX}*`, async (c) => {
  if (c.get("action") !== "") return refuse(405, "A view's name does not end with what is asked of views.")
  const body = await readBody(c.req.raw, c.get("bounds"))
  if (body.kind !== "whole") return refuseBody(body)
  const claim = decodeViewClaim(body.bytes, c.get("bounds"))
  if (!claim.ok) return refuse(400, claim.reason)
  const fault = await unreadable(c, claim.value)
  if (fault !== undefined) return fault
  return putResponse(await c.get("view").put(c.get("name"), claim.value))
})

viewRoutes.get(`${PREFIX}*`, async (c) => {
  switch (c.get("action")) {
    case "hash":
      return hash(c)
    case "snapshot":
      return snapshot(c)
    case "rows":
      return rows(c)
    default:
      return status(c)
  }
})

viewRoutes.post(`${PREFIX}*`, async (c) => {
  const body = await readBody(c.req.raw, c.get("bounds"))
  if (body.kind !== "whole") return refuseBody(body)
  switch (c.get("action")) {
    case "query":
      return query(c, body.bytes)
    case "skip":
      return skip(c, body.bytes)
    case "rebuild": {
      const outcome = await c.get("view").rebuild()
      return outcome === undefined ? noView() : putResponse(outcome)
    }
    default:
      return refuse(405, "What is posted to a view is query, skip or rebuild below its name.")
  }
})

viewRoutes.delete(`${PREFIX}*`, async (c) => {
  return (await c.get("view").remove()) ? new Response(null, { status: 204 }) : noView()
})

viewRoutes.all(`${PREFIX}*`, (c) => {
  const allow = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
  return refuse(405, `A view takes ${allow}; ${c.req.method} came.`, { Allow: allow })
})

/** Finds the view, and lets nobody pass who has not the right to what they ask. */
function onView(): MiddlewareHandler<ViewRoute> {
  return async (c, next) => {
    const { VIEWS, FOLDS, DIRECTORY, access, bounds } = c.env
    if (VIEWS === undefined || FOLDS === undefined || DIRECTORY === undefined) {
      return refuse(501, "This edge has no views: VIEWS, FOLDS and DIRECTORY are not all bound.")
    }
    const { pathname } = new URL(c.req.url)
    if (!pathname.startsWith(PREFIX))
      return refuse(404, `Views are below ${PREFIX}; ${pathname} was asked for.`)
    const path = pathname.slice(PREFIX.length)
    const last = path.slice(path.lastIndexOf("/") + 1)
    const action = ACTIONS.get(last)
    const name = action === undefined ? path : path.slice(0, -last.length - 1)
    const fault = pathFault(name, bounds.pathLengthMax)
    if (fault !== undefined) return refuse(404, `There is no such view: ${fault}.`)
    const method = c.req.method === "HEAD" ? "GET" : c.req.method
    if (action !== undefined && action.method !== method)
      return refuse(405, `${last} is asked by ${action.method}; ${method} came.`, { Allow: action.method })
    const admission = await admit(
      access,
      c.req.raw,
      name,
      action?.right ?? (method === "GET" ? "read" : "manage"),
    )
    if (admission.kind === "refused") return admission.response
    c.set("name", name)
    c.set("action", action === undefined ? "" : last)
    c.set("bounds", bounds)
    c.set("view", VIEWS.getByName(name))
    c.set("folds", FOLDS)
    return next()
  }
}

/** Whoever defines a view shows what its streams hold, so they have to be theirs to read: all that a pattern covers. */
async function unreadable(c: ViewContext, { streams }: ViewClaim): Promise<Response | undefined> {
  const identity = await identityOf(c.env.access, c.req.raw)
  if (identity.kind === "anyone") return undefined
  const { grants } = identity.kind === "token" ? identity.claims : { grants: [] }
  const fault = Object.entries(streams).find(([, stream]) => !isGrantedForAll(grants, stream, "read"))
  if (fault === undefined) return undefined
  return refuse(
    403,
    `Source "${fault[0]}" reads ${fault[1]}; no one grant of the token lets it read all of that.`,
  )
}

function putResponse(outcome: PutOutcome): Response {
  if (outcome.kind === "invalid")
    return Response.json({ code: "invalid-view", message: outcome.message }, { status: 400 })
  const { kind, generation } = outcome
  return Response.json({ generation, outcome: kind }, { status: kind === "made" ? 201 : 200 })
}

async function status(c: ViewContext): Promise<Response> {
  const { live, building } = await c.get("view").current()
  const [one, other] = await Promise.all([reportOf(c, live), reportOf(c, building)])
  return viewResponse(c.get("name"), { live, building }, one, other)
}

async function reportOf(c: ViewContext, generation: number | undefined): Promise<FoldReport | undefined> {
  if (generation === undefined) return undefined
  const report = await c
    .get("folds")
    .getByName(foldName(c.get("name"), generation))
    .report()
  return report.kind === "fold" ? report : undefined
}

async function query(c: ViewContext, body: Uint8Array): Promise<Response> {
  const ask = decodeQuery(body, c.get("bounds"))
  if (!ask.ok) return refuse(400, ask.reason)
  return onLive<QueryAnswer>(c, async (fold) => fold.query(ask.value), queryResponse)
}

async function hash(c: ViewContext): Promise<Response> {
  return onLive<HashAnswer>(
    c,
    async (fold) => fold.hash(),
    (answer) => {
      if (answer.kind === "too-much") return refuse(413, answer.message)
      const { kind: _, ...told } = answer
      return Response.json(told, { headers: { "Cache-Control": "no-store" } })
    },
  )
}

async function skip(c: ViewContext, body: Uint8Array): Promise<Response> {
  const ask = decodeSkip(body)
  if (!ask.ok) return refuse(400, ask.reason)
  const skipped = await c.get("view").skip(c.get("name"), ask.value)
  if (skipped.kind === "no-fold") return noView()
  return skipped.kind === "skipped" ? new Response(null, { status: 204 }) : refuse(409, skipped.message)
}
