import { EDGE_MARK, HEADER } from "../../shared/http.ts"
import type { Access } from "../access/access.ts"
import { isWelcome, originHeaders } from "../access/origins.ts"

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
  HEADER.fromOffset,
  HEADER.earliestOffset,
  HEADER.retentionAge,
  HEADER.retentionBytes,
  HEADER.resumesAt,
  HEADER.retryAfter,
  HEADER.producerConflict,
  HEADER.edge,
  "etag",
  "preference-applied",
  "location",
  "www-authenticate",
]

const ACCEPTED = [
  "content-type",
  "content-encoding",
  "authorization",
  "if-none-match",
  "prefer",
  HEADER.closed,
  HEADER.ttl,
  HEADER.expiresAt,
  HEADER.streamSeq,
  HEADER.producerId,
  HEADER.producerEpoch,
  HEADER.producerSeq,
  HEADER.expectedOffset,
  HEADER.forkedFrom,
  HEADER.forkOffset,
  HEADER.forkSubOffset,
  HEADER.retentionAge,
  HEADER.retentionBytes,
  HEADER.budget,
]

/** On every answer, errors included: neither a browser nor a client must take it for what it is not. */
const COMMON = {
  [HEADER.edge]: EDGE_MARK,
  "Access-Control-Expose-Headers": EXPOSED.join(", "),
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "cross-origin",
}

const PREFLIGHT = {
  "Access-Control-Allow-Methods": "GET, HEAD, PUT, POST, PATCH, DELETE, OPTIONS",
  "Access-Control-Allow-Headers": ACCEPTED.join(", "),
  "Access-Control-Max-Age": "86400",
}

/** What tells a browser that a page may go on. */
const CORS = [...Object.keys(PREFLIGHT), "Access-Control-Expose-Headers"]

/**
 * Puts on an answer what every answer carries, and what lets a page of this origin read it. What nobody said may be
 * cached, may not.
 */
export function withCommonHeaders(response: Response, access: Access, origin: string | null): Response {
  if (response.status === 101) return response // an upgrade is no answer that a page could read
  const { headers } = response
  for (const [name, value] of Object.entries(COMMON)) headers.set(name, value)
  for (const [name, value] of Object.entries(originHeaders(access.origins, origin))) headers.set(name, value)
  if (!isWelcome(access.origins, origin)) for (const name of CORS) headers.delete(name)
  if (!headers.has("Cache-Control")) headers.set("Cache-Control", "no-store")
  if (access.kind === "tokens") keepPrivate(headers)
  return response
}

/** What was answered to one caller may be kept by that caller, and given to nobody else. */
function keepPrivate(headers: Headers): void {
  const cache = headers.get("Cache-Control") ?? ""
  headers.set("Cache-Control", cache.replace(/\bpublic\b/, "private"))
  headers.append("Vary", "Authorization")
}

/** The answer to a browser that asks what it may send. */
export function preflight(): Response {
  return new Response(null, { status: 204, headers: PREFLIGHT })
}
