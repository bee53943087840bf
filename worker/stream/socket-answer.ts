import { SUBPROTOCOL } from "../../shared/frames.ts"

/** A socket that is open just long enough to say why it is not: the status of an upgrade is hidden from pages. */
export function closedSocket(code: number, reason: string): Response {
  const { 0: client, 1: server } = new WebSocketPair()
  server.accept()
  server.close(code, closeReason(reason))
  return upgraded(client)
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
