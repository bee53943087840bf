import { HEADER } from "../../shared/http.ts"

const EXPOSED = [
  HEADER.nextOffset,
  HEADER.upToDate,
  HEADER.closed,
  HEADER.cursor,
  HEADER.ttl,
  HEADER.expiresAt,
  HEADER.producerEpoch,
  HEADER.producerSeq,
  HEADER.expectedSeq,
  HEADER.receivedSeq,
  HEADER.sseEncoding,
  HEADER.liveModes,
  "etag",
  "preference-applied",
  "location",
]

const ACCEPTED = [
  "content-type",
  "authorization",
  "if-none-match",
  "content-encoding",
  "prefer",
  HEADER.closed,
  HEADER.ttl,
  HEADER.expiresAt,
  HEADER.streamSeq,
  HEADER.producerId,
  HEADER.producerEpoch,
  HEADER.producerSeq,
]

/**
 * On every answer, errors included: a browser of any origin may read it, and must not take it for what it is
 * not.
 */
const COMMON = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": EXPOSED.join(", "),
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "cross-origin",
}

const PREFLIGHT = {
  "Access-Control-Allow-Methods": "GET, HEAD, PUT, POST, DELETE, OPTIONS",
  "Access-Control-Allow-Headers": ACCEPTED.join(", "),
  "Access-Control-Max-Age": "86400",
}

/** Puts on an answer what every answer carries. What nobody said may be cached, may not. */
export function withCommonHeaders(response: Response): Response {
  if (response.status === 101) return response // an upgrade is no answer that a page could read
  for (const [name, value] of Object.entries(COMMON)) response.headers.set(name, value)
  if (!response.headers.has("Cache-Control")) response.headers.set("Cache-Control", "no-store")
  return response
}

/** The answer to a browser that asks what it may send. */
export function preflight(): Response {
  return new Response(null, { status: 204, headers: PREFLIGHT })
}
