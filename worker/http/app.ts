import { type Context, Hono } from "hono"
import { claimOfHeaders } from "../../shared/append-claim.ts"
import { tooLargeMessage } from "../../shared/append-reply.ts"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import { NOW, readIssuedOffset, START } from "../../shared/offset.ts"
import { accessOf } from "../access/access.ts"
import { principalOf } from "../access/caller.ts"
import { withClaim } from "../access/claim-header.ts"
import type { Env } from "../env.ts"
import { closedSocket } from "../stream/socket-answer.ts"
import { accessRoutes } from "./access-routes.ts"
import { appendResponse, refuse } from "./answer.ts"
import { preflight, withCommonHeaders } from "./common-headers.ts"
import { createClaim, stateHeaders } from "./create-headers.ts"
import { health, refusalOf } from "./front.ts"
import { rightFor } from "./guard.ts"
import { longPoll } from "./long-poll.ts"
import { faultResponse, LIVE_MODES, pageResponse } from "./page-response.ts"
import { readPage } from "./read-page.ts"
import { readBody } from "./request-body.ts"
import { segmentListResponse } from "./segment-list.ts"
import { offeredProtocols, socketClaim } from "./socket-claim.ts"
import { sse } from "./sse.ts"
import { onStream, type StreamRoute } from "./stream-route.ts"

const PREFIX = "/v1/stream/"

type StreamContext = Context<StreamRoute>

/** Bytes in, one question to the stream's object, bytes out. A route keeps no state and decides nothing. */
const routes = new Hono<StreamRoute>()

routes.get("/health", (c) => health(c.env.access))

routes.options("*", () => preflight())

routes.use(
  `${PREFIX}*`,
  onStream(PREFIX, (c) => (isSocketWanted(c) ? undefined : rightFor(c.req.method))),
)

routes.route("/", accessRoutes)

routes.put(`${PREFIX}*`, async (c) => {
  const body = await readBody(c.req.raw)
  const caller = c.get("caller")
  const claim = createClaim(c.req.raw.headers, principalOf(caller))
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind === "too-large") return refuse(413, tooLargeMessage(body.bytes))
  const outcome = await c.get("stub").create(claim.value, body.bytes, caller)
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
    case "foreign-source":
      return refuse(403, outcome.reason)
    case "missing":
      return faultResponse(outcome)
    case "too-large":
      return refuse(413, tooLargeMessage(outcome.bytes))
  }
})

routes.post(`${PREFIX}*`, async (c) => {
  const body = await readBody(c.req.raw)
  const caller = c.get("caller")
  const claim = claimOfHeaders((name) => c.req.header(name), principalOf(caller))
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind === "too-large") return refuse(413, tooLargeMessage(body.bytes))
  return appendResponse(await c.get("stub").append(claim.value, body.bytes, caller))
})

routes.delete(`${PREFIX}*`, async (c) => {
  const isDeleted = await c.get("stub").delete(c.get("caller"))
  return isDeleted ? new Response(null, { status: 204 }) : faultResponse({ kind: "missing" })
})

/** Hono asks this one for HEAD as well. */
routes.get(`${PREFIX}*`, (c) => (c.req.method === "HEAD" ? head(c) : read(c)))

routes.all(`${PREFIX}*`, (c) => {
  const allow = "GET, HEAD, PUT, POST, DELETE, OPTIONS"
  return refuse(405, `A stream takes ${allow}; ${c.req.method} came.`, { Allow: allow })
})

routes.notFound((c) =>
  refuse(404, `Streams are below ${PREFIX}; ${new URL(c.req.url).pathname} was asked for.`),
)

routes.onError((error) => {
  console.error(JSON.stringify({ message: "request failed", error: String(error) }))
  const { retryable, overloaded } = error as { retryable?: boolean; overloaded?: boolean } // the runtime's marks
  if (retryable === true || overloaded === true) {
    return refuse(503, "The stream cannot answer now; try again.", { "Retry-After": "1" })
  }
  return refuse(500, "The edge failed; this is a fault of its own.")
})

async function head(c: StreamContext): Promise<Response> {
  const state = await c.get("stub").head(c.get("caller"))
  if (state.kind === "missing") return faultResponse(state)
  return new Response(null, { headers: { ...stateHeaders(state), ...LIVE_MODES } })
}

async function read(c: StreamContext): Promise<Response> {
  const [offset, ...others] = c.req.queries("offset") ?? []
  const [live] = c.req.queries("live") ?? []
  if (others.length > 0) return refuse(400, `A read has one offset; ${others.length + 1} came.`)
  if (live === undefined && c.req.query("segments") === "true")
    return segmentListResponse(await c.get("stub").segments(c.get("caller")))
  if (live === undefined) return catchUp(c, offset ?? START)
  if (offset === undefined) return refuse(400, `A live read has an offset; none came.`)
  const cursor = c.req.query("cursor") ?? null
  switch (live) {
    case "long-poll":
      return longPoll(c.get("source"), offset, cursor)
    case "sse":
      return sse(c.get("source"), offset, cursor)
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
async function openSocket(c: StreamContext, offset: string): Promise<Response> {
  if (!isUpgrade(c.req.raw)) {
    return refuse(426, "live=ws is a WebSocket; a request without Upgrade came.", { Upgrade: "websocket" })
  }
  if (offset !== START && offset !== NOW && readIssuedOffset(offset) === undefined) {
    return refuse(
      400,
      `An offset is -1, now, or one that this edge has given; ${JSON.stringify(offset)} came.`,
    )
  }
  if (!offeredProtocols(c.req.raw).includes(SUBPROTOCOL)) {
    return refuse(400, `The subprotocol is ${SUBPROTOCOL}; it was not offered.`)
  }
  const admission = await socketClaim(c.env.access, c.req.raw, c.get("path"))
  if (admission.kind === "closed") return closedSocket(admission.code, admission.reason)
  return c.get("stub").fetch(withClaim(c.req.raw, admission.claim))
}

/** A socket asks for its caller by itself: a browser can show it nothing but a ticket. */
function isSocketWanted(c: StreamContext): boolean {
  return c.req.method === "GET" && c.req.query("live") === "ws" && isUpgrade(c.req.raw)
}

function isUpgrade(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket"
}

/** The stream's address: the request's without its query. */
function locationOf(url: string): string {
  const { origin, pathname } = new URL(url)
  return origin + pathname
}

export const app = {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url)
    const access = accessOf(env, url.hostname)
    const origin = request.headers.get("origin")
    const answer = refusalOf(access, request, url) ?? (await routes.fetch(request, { ...env, access }))
    return withCommonHeaders(answer, access, origin)
  },
}
