import { assert } from "../../shared/assert.ts"
import { isRecord, parseJson } from "../../shared/decoded.ts"
import { type SocketClaim, storedCaller } from "./caller.ts"

/*
 * A socket reaches a stream's object by a request, not by a call, so what opens it travels in a header. Only the edge
 * can send requests to objects, and it sets this header whatever a client has sent.
 */
const HEADER = "headwater-claim"

/** The request as the stream's object is to see it. */
export function withClaim(request: Request, claim: SocketClaim): Request {
  const headers = new Headers(request.headers)
  headers.set(HEADER, encodeURIComponent(JSON.stringify(claim)))
  return new Request(request, { headers })
}

/** What opens the socket that the edge asks for. */
export function claimOf(request: Request): SocketClaim {
  const parsed = parseJson(decodeURIComponent(request.headers.get(HEADER) ?? ""))
  assert(parsed.ok && isRecord(parsed.value), "the edge says who opens a socket")
  const { kind, ticket, principal } = parsed.value
  if (kind !== "ticket") return storedCaller(parsed.value)
  assert(typeof ticket === "string", "a claim by ticket has one")
  return { kind, ticket, principal: typeof principal === "string" ? principal : undefined }
}
