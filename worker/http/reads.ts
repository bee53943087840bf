import type { Context } from "hono"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import { NOW, readIssuedOffset, START } from "../../shared/offset.ts"
import { withClaim } from "../access/claim-header.ts"
import { closedSocket } from "../stream/socket-answer.ts"
import { refuse } from "./answer.ts"
import { stateHeaders } from "./create-headers.ts"
import { longPoll, type PollTerms } from "./long-poll.ts"
import { faultResponse, LIVE_MODES, pageResponse } from "./page-response.ts"
import { holdOf } from "./prefer.ts"
import { readPage } from "./read-page.ts"
import { segmentListResponse } from "./segment-list.ts"
import { offeredProtocols, socketClaim } from "./socket-claim.ts"
import { sse } from "./sse.ts"
import type { StreamRoute } from "./stream-route.ts"

type StreamContext = Context<StreamRoute>

export async function head(c: StreamContext): Promise<Response> {
  const state = await c.get("stub").head(c.get("caller"))
  if (state.kind !== "stream") return faultResponse(state)
  return new Response(null, { headers: { ...stateHeaders(state), ...LIVE_MODES } })
}

export async function read(c: StreamContext): Promise<Response> {
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
      return longPoll(c.get("source"), offset, cursor, pollTerms(c))
    case "sse":
      return sse(c.get("source"), offset, cursor, c.get("bounds"))
    case "ws":
      return openSocket(c, offset)
    default:
      return refuse(400, `live is long-poll, sse or ws; ${live} came.`)
  }
}

function pollTerms(c: StreamContext): PollTerms {
  const bounds = c.get("bounds")
  return { bounds, hold: holdOf(c.req.header("prefer"), bounds) }
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
export function isSocketWanted(c: StreamContext): boolean {
  return c.req.method === "GET" && c.req.query("live") === "ws" && isUpgrade(c.req.raw)
}

function isUpgrade(request: Request): boolean {
  return request.headers.get("upgrade")?.toLowerCase() === "websocket"
}
