import type { FrameBody } from "../../shared/frames.ts"
import type { Reader } from "./stream-host.ts"

/** Bytes that a close frame has for its reason. */
const REASON_BYTES_MAX = 123

const readers = new WeakMap<WebSocket, Reader>()

/** The socket as the core sees it: the same reader for the same socket. */
export function readerOf(socket: WebSocket): Reader {
  const known = readers.get(socket)
  if (known !== undefined) return known
  const reader = new SocketReader(socket)
  readers.set(socket, reader)
  return reader
}

class SocketReader implements Reader {
  readonly #socket: WebSocket

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  send(frame: FrameBody): void {
    try {
      this.#socket.send(frame)
    } catch {
      // It is closed already. Its client knows how far it has read, and goes on from there on another socket.
    }
  }

  close(code: number, reason: string): void {
    try {
      this.#socket.close(code, reason.replace(/[^ -~]/g, "?").slice(0, REASON_BYTES_MAX))
    } catch {
      // It is closed already, which is what was wanted.
    }
  }
}
