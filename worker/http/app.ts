import { type Context, Hono } from "hono"
import { claimOfHeaders } from "../../shared/append-claim.ts"
import { tooLargeMessage } from "../../shared/append-reply.ts"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { NOW, readIssuedOffset, START } from "../../shared/offset.ts"
import type { Env } from "../env.ts"
import { appendResponse, refuse } from "./answer.ts"
import { preflight, withCommonHeaders } from "./common-headers.ts"
import { createClaim, stateHeaders } from "./create-headers.ts"
import type { StreamStub } from "./feed.ts"
import { longPoll } from "./long-poll.ts"
import { faultResponse, LIVE_MODES, pageResponse } from "./page-response.ts"
import { holdOf } from "./prefer.ts"
import { bodyRefusal, readBody } from "./request-body.ts"
import { sse } from "./sse.ts"

const PREFIX = "/v1/stream/"

type StreamContext = Context<{ Bindings: Env; Variables: { path: string; stub: StreamStub } }>

/** Bytes in, one question to the stream's object, bytes out. A route keeps no state and decides nothing. */
const routes = new Hono<{ Bindings: Env; Variables: { path: string; stub: StreamStub } }>()

routes.get("/health", (c) => c.json({ status: "ok" }))

routes.options("*", () => preflight())

routes.use(`${PREFIX}*`, async (c, next) => {
  const path = new URL(c.req.url).pathname.slice(PREFIX.length)
  const fault = pathFault(path)
  if (fault !== undefined) return refuse(404, `There is no such stream: ${fault}.`)
  c.set("path", path)
  c.set("stub", c.env.STREAMS.getByName(path))
  return next()
})

routes.put(`${PREFIX}*`, async (c) => {
  const body = await readBody(c.req.raw)
  const claim = createClaim(c.req.raw.headers)
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind !== "whole") return bodyRefusal(body)
  const outcome = await c.get("stub").create(claim.value, body.bytes)
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
      return refuse(413, tooLargeMessage(outcome.bytes))
  }
})

routes.post(`${PREFIX}*`, async (c) => {
  const body = await readBody(c.req.raw)
  const claim = claimOfHeaders((name) => c.req.header(name))
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind !== "whole") return bodyRefusal(body)
  const { reply } = await c.get("stub").append(claim.value, body.bytes)
  return appendResponse(reply)
})

routes.delete(`${PREFIX}*`, async (c) => {
  const isDeleted = await c.get("stub").delete()
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
  const state = await c.get("stub").head()
  if (state.kind === "missing") return faultResponse(state)
  return new Response(null, { headers: { ...stateHeaders(state), ...LIVE_MODES } })
}

async function read(c: StreamContext): Promise<Response> {
  const [offset, ...others] = c.req.queries("offset") ?? []
  const [live] = c.req.queries("live") ?? []
  if (others.length > 0) return refuse(400, `A read has one offset; ${others.length + 1} came.`)
  if (live === undefined) return catchUp(c, offset ?? START)
  if (offset === undefined) return refuse(400, `A live read has an offset; none came.`)
  const cursor = c.req.query("cursor") ?? null
  switch (live) {
    case "long-poll":
      return longPoll(c.get("stub"), offset, cursor, holdOf(c.req.header("prefer")))
    case "sse":
      return sse(c.get("stub"), offset, cursor)
    case "ws":
      return openSocket(c, offset)
    default:
      return refuse(400, `live is long-poll, sse or ws; ${live} came.`)
  }
}

async function catchUp(c: StreamContext, offset: string): Promise<Response> {
  const page = await c.get("stub").read(offset)
  return page.kind === "page" ? pageResponse(c.req.raw, c.get("path"), offset, page) : faultResponse(page)
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

/** The path keeps the spelling of the URL, as the URL standard writes it. */
function pathFault(path: string): string | undefined {
  if (path === "") return "it has no name"
  if (path.length > LIMITS.pathLengthMax)
    return `its name has ${path.length} characters, ${LIMITS.pathLengthMax} are allowed`
  return path.split("/").some(isReserved) ? `"__ds" is reserved by the protocol` : undefined
}

/** In whatever spelling: whoever stands between may write escapes out. */
function isReserved(segment: string): boolean {
  try {
    return decodeURIComponent(segment) === "__ds"
  } catch {
    return false // escapes that are no text spell nothing that is reserved
  }
}

export const app = {
  async fetch(request: Request, env: Env): Promise<Response> {
    return withCommonHeaders(await routes.fetch(request, env))
  },
}
