import { CLOSE, SUBPROTOCOL } from "../../shared/frames.ts"
import type { Bounds } from "../../shared/limits.ts"
import { noRoom } from "../../shared/refusals.ts"

/** A socket that is open just long enough to say why it is not: the status of an upgrade is hidden from pages. */
export function closedSocket(code: number, reason: string): Response {
  const { 0: client, 1: server } = new WebSocketPair()
  server.accept()
  server.close(code, closeReason(reason))
  return upgraded(client)
}

/** The stream has no room for one more socket. A feed of the edge's own is told so in a status. */
export function fullAnswer(isFeed: boolean, bounds: Bounds): Response {
  const { status, headers, message = "" } = noRoom(bounds)
  return isFeed ? Response.json({ message }, { status, headers }) : closedSocket(CLOSE.full, message)
}

/** The answer that hands over a socket. The edge repeats its own subprotocol, never the ticket. */
export function upgraded(webSocket: WebSocket): Response {
  const headers = { "Sec-WebSocket-Protocol": SUBPROTOCOL }
  return new Response(null, { status: 101, webSocket, headers })
}

/** Bytes that a close frame has for its reason. */
const REASON_BYTES_MAX = 123

/** A reason that fits in a close frame. */
export function closeReason(reason: string): string {
  return reason.replace(/[^ -~]/g, "?").slice(0, REASON_BYTES_MAX)
}
