import { type Context, Hono } from "hono"
import { claimOfHeaders } from "../../shared/append-claim.ts"
import { tooLargeMessage } from "../../shared/append-reply.ts"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import { NOW, readIssuedOffset, START } from "../../shared/offset.ts"
import type { Env } from "../env.ts"
import { appendResponse, refuse } from "./answer.ts"
import { preflight, withCommonHeaders } from "./common-headers.ts"
import { stateHeaders } from "./create-headers.ts"
import type { StreamStub } from "./feed.ts"
import { longPoll } from "./long-poll.ts"
import { faultResponse, LIVE_MODES, pageResponse } from "./page-response.ts"
import { PREFIX, pathFault } from "./paths.ts"
import { put } from "./put.ts"
import { readPage } from "./read-page.ts"
import { readBody } from "./request-body.ts"
import { sse } from "./sse.ts"

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
  return put(c.env.STREAMS, c.get("path"), c.req.raw, body)
})

routes.post(`${PREFIX}*`, async (c) => {
  const body = await readBody(c.req.raw)
  const claim = claimOfHeaders((name) => c.req.header(name))
  if (!claim.ok) return refuse(400, claim.reason)
  if (body.kind === "too-large") return refuse(413, tooLargeMessage(body.bytes))
  return appendResponse(await c.get("stub").append(claim.value, body.bytes))
})

routes.delete(`${PREFIX}*`, async (c) => {
  const outcome = await c.get("stub").delete()
  return outcome.kind === "done" ? new Response(null, { status: 204 }) : faultResponse(outcome)
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
  if (state.kind !== "stream") return faultResponse(state)
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
      return longPoll(c.env.STREAMS, c.get("path"), offset, cursor)
    case "sse":
      return sse(c.env.STREAMS, c.get("path"), offset, cursor)
    case "ws":
      return openSocket(c, offset)
    default:
      return refuse(400, `live is long-poll, sse or ws; ${live} came.`)
  }
}

async function catchUp(c: StreamContext, offset: string): Promise<Response> {
  const page = await readPage(c.env.STREAMS, c.get("path"), offset)
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

export const app = {
  async fetch(request: Request, env: Env): Promise<Response> {
    return withCommonHeaders(await routes.fetch(request, env))
  },
}
