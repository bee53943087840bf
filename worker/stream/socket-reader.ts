import type { FrameBody } from "../../shared/frames.ts"
import { type Caller, storedCaller } from "../access/caller.ts"
import { closeReason } from "./socket-answer.ts"
import type { Reader } from "./stream-host.ts"

const readers = new WeakMap<WebSocket, Reader>()

/** Writes on a new socket who holds it. It stays there while the object is out of memory. */
export function markSocket(socket: WebSocket, caller: Caller): void {
  socket.serializeAttachment(caller)
}

/** The socket as the core sees it: the same reader for the same socket. */
export function readerOf(socket: WebSocket): Reader {
  const known = readers.get(socket)
  if (known !== undefined) return known
  const reader = new SocketReader(socket)
  readers.set(socket, reader)
  return reader
}

/** Whether a socket has not been told to go. */
export function isOpen(socket: WebSocket): boolean {
  return socket.readyState === WebSocket.OPEN
}

class SocketReader implements Reader {
  readonly caller: Caller
  readonly #socket: WebSocket

  constructor(socket: WebSocket) {
    this.#socket = socket
    this.caller = storedCaller(socket.deserializeAttachment())
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
      this.#socket.close(code, closeReason(reason))
    } catch {
      // It is closed already, which is what was wanted.
    }
  }
}
