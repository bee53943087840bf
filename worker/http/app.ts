import { type Context, Hono } from "hono"
import { claimOfHeaders } from "../../shared/append-claim.ts"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import type { Bounds } from "../../shared/limits.ts"
import { NOW, readIssuedOffset, START } from "../../shared/offset.ts"
import { tooManyStreams } from "../../shared/refusals.ts"
import { boundsFor, configurationFault } from "../configuration.ts"
import type { Env } from "../env.ts"
import { createCounted, creatorOf } from "../limits/counted-creation.ts"
import { headerBytesFault } from "../limits/header-bytes.ts"
import { type Facts, log } from "../log.ts"
import { withDataPoint } from "../meter/data-point.ts"
import { R2Store } from "../segments/r2-store.ts"
import { appendResponse, refuse } from "./answer.ts"
import { termsChange } from "./change-headers.ts"
import { preflight, withCommonHeaders } from "./common-headers.ts"
import { createClaim, stateHeaders } from "./create-headers.ts"
import type { StreamStub } from "./feed.ts"
import { HEALTH, health } from "./health.ts"
import { longPoll } from "./long-poll.ts"
import { meterRoutes } from "./meter-route.ts"
import { faultResponse, LIVE_MODES, pageResponse } from "./page-response.ts"
import { readPage, type Source } from "./read-page.ts"
import { readBody, refuseBody } from "./request-body.ts"
import { segmentListResponse } from "./segment-list.ts"
import { sse } from "./sse.ts"
import { pathFault } from "./stream-path.ts"

const PREFIX = "/v1/stream/"

type Variables = {
  path: string
  stub: StreamStub
  source: Source
  bounds: Bounds
  /** Who asks, where the edge knows its callers. */
  principal: string | undefined
}

type StreamContext = Context<{ Bindings: Env; Variables: Variables }>

/** Bytes in, one question to the stream's object, bytes out. A route keeps no state and decides nothing. */
const routes = new Hono<{ Bindings: Env; Variables: Variables }>()

routes.get(HEALTH, (c) => health(c.env))

routes.options("*", () => preflight())

routes.use(`${PREFIX}*`, async (c, next) => {
  const path = new URL(c.req.url).pathname.slice(PREFIX.length)
  const bounds = boundsFor(c.env)
  const fault = pathFault(path, bounds.pathLengthMax)
  if (fault !== undefined) return refuse(404, `There is no such stream: ${fault}.`)
  const tooLong = headerBytesFault(c.req.raw.headers, bounds.headerBytesMax)
  if (tooLong !== undefined) return refuse(431, tooLong)
  c.set("bounds", bounds)
  c.set("path", path)
  const stub = c.env.STREAMS.getByName(path)
  c.set("stub", stub)
  c.set("source", { stub, store: c.env.SEGMENTS && new R2Store(c.env.SEGMENTS) })
  return next()
})

routes.route("/", meterRoutes)

routes.put(`${PREFIX}*`, async (c) => {
  const bounds = c.get("bounds")
  const body = await readBody(c.req.raw, bounds)
  const claim = createClaim(c.req.raw.headers, bounds)
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind !== "whole") return refuseBody(body)
  const [stub, principal] = [c.get("stub"), c.get("principal")]
  const outcome = await createCounted({
    path: c.get("path"),
    creator: creatorOf(c.env, bounds, principal),
    isThere: async () => (await stub.head()).kind === "stream",
    create: async () => stub.create({ ...claim.value, principal }, body.bytes),
  })
  switch (outcome.kind) {
    case "stream": {
      const location = outcome.isNew ? { Location: locationOf(c.req.url) } : undefined
      return new Response(null, {
        status: outcome.isNew ? 201 : 200,
        headers: { ...stateHeaders(outcome), ...location },
      })
    }
    case "conflict":
      return refuse(409, outcome.reason)
    case "malformed":
      return refuse(400, outcome.reason)
    case "too-large":
      return refuseBody(outcome)
    case "too-many":
      return appendResponse(tooManyStreams(bounds))
  }
})

routes.post(`${PREFIX}*`, async (c) => {
  const bounds = c.get("bounds")
  const body = await readBody(c.req.raw, bounds)
  const claim = claimOfHeaders((name) => c.req.header(name), bounds)
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind !== "whole") return refuseBody(body)
  return appendResponse(await c.get("stub").append(claim.value, body.bytes))
})

routes.delete(`${PREFIX}*`, async (c) => {
  const isDeleted = await c.get("stub").delete()
  return isDeleted ? new Response(null, { status: 204 }) : faultResponse({ kind: "missing" })
})

routes.patch(`${PREFIX}*`, async (c) => {
  const change = termsChange(c.req.raw.headers)
  if (!change.ok) return refuse(400, change.reason)
  const isChanged = await c.get("stub").change(change.value)
  return isChanged ? new Response(null, { status: 204 }) : faultResponse({ kind: "missing" })
})

/** Hono asks this one for HEAD as well. */
routes.get(`${PREFIX}*`, (c) => (c.req.method === "HEAD" ? head(c) : read(c)))

routes.all(`${PREFIX}*`, (c) => {
  const allow = "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS"
  return refuse(405, `A stream takes ${allow}; ${c.req.method} came.`, { Allow: allow })
})

routes.notFound((c) =>
  refuse(404, `Streams are below ${PREFIX}; ${new URL(c.req.url).pathname} was asked for.`),
)

routes.onError((error, c) => {
  log("request failed", { ...requestFacts(c.req.raw), error: String(error) })
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean } // the runtime's marks
  if (retryable === true || overloaded === true) {
    return refuse(503, "The stream cannot answer now; try again.", { "Retry-After": "1" })
  }
  return refuse(500, "The edge failed; this is a fault of its own.")
})

async function head(c: StreamContext): Promise<Response> {
  const state = await c.get("stub").head()
  if (state.kind === "missing") return faultResponse(state)
  return new Response(null, { headers: { ...stateHeaders(state), ...LIVE_MODES } })
}

async function read(c: StreamContext): Promise<Response> {
  const [offset, ...others] = c.req.queries("offset") ?? []
  const [live] = c.req.queries("live") ?? []
  if (others.length > 0) return refuse(400, `A read has one offset; ${others.length + 1} came.`)
  if (c.req.query("segments") === "true") return segmentListResponse(await c.get("stub").segments())
  if (live === undefined) return catchUp(c, offset ?? START)
  if (offset === undefined) return refuse(400, `A live read has an offset; none came.`)
  const cursor = c.req.query("cursor") ?? null
  switch (live) {
    case "long-poll":
      return longPoll(c.get("source"), offset, cursor, c.get("bounds"))
    case "sse":
      return sse(c.get("source"), offset, cursor, c.get("bounds"))
    case "ws":
      return openSocket(c, offset)
    default:
      return refuse(400, `live is long-poll, sse or ws; ${live} came.`)
  }
}

async function catchUp(c: StreamContext, offset: string): Promise<Response> {
  const end = c.req.query("end")
  const page = await readPage(c.get("source"), offset, end)
  if (page.kind !== "page") return faultResponse(page)
  return pageResponse(c.req.raw, { path: c.get("path"), offset, end }, page)
}

/** Whatever a browser could not tell from a network that failed is said by the socket, once it is open. */
function openSocket(c: StreamContext, offset: string): Response | Promise<Response> {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") {
    return refuse(426, "live=ws is a WebSocket; a request without Upgrade came.", { Upgrade: "websocket" })
  }
  if (offset !== START && offset !== NOW && readIssuedOffset(offset) === undefined) {
    return refuse(
      400,
      `An offset is -1, now, or one that this edge has given; ${JSON.stringify(offset)} came.`,
    )
  }
  const offered = c.req.header("sec-websocket-protocol")?.split(",") ?? []
  if (!offered.some((name) => name.trim() === SUBPROTOCOL)) {
    return refuse(400, `The subprotocol is ${SUBPROTOCOL}; ${offered.join(",") || "none"} was offered.`)
  }
  return c.get("stub").fetch(c.req.raw)
}

/** The stream's address: the request's without its query. */
function locationOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

export const app = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const answer = async (asked: Request) => withCommonHeaders(await answerOf(asked, env))
    return env.METER === undefined ? answer(request) : withDataPoint(env.METER, request, answer)
  },
}

async function answerOf(request: Request, env: Env): Promise<Response> {
  const fault = configurationFault(env)
  if (fault === undefined || new URL(request.url).pathname === HEALTH) return routes.fetch(request, env)
  log("not configured", { ...requestFacts(request), error: fault })
  return refuse(503, fault)
}

/** By what a request is found again. */
function requestFacts(request: Request): Facts {
  const ray = request.headers.get("cf-ray")
  return { method: request.method, path: new URL(request.url).pathname, ...(ray !== null && { ray }) }
}
