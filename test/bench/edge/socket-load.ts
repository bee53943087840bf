import { once } from "node:events"
import { type RawData, WebSocket } from "ws"
import type { Side } from "./side.ts"

const OPENED_AT_ONCE = 50

/** One socket under load. It tells acknowledgements from everything else that it hears. */
export class SocketLoad {
  readonly #socket: WebSocket
  readonly #meaning: Side["meaning"]
  #onAck: () => void = () => undefined
  #onNews: () => void = () => undefined
  #onFault: (fault: Error) => void = () => undefined

  private constructor(socket: WebSocket, meaning: Side["meaning"]) {
    this.#socket = socket
    this.#meaning = meaning
    socket.on("message", (frame) => this.#hear(frame))
    socket.on("close", (code, reason) => this.#onFault(new Error(`The socket closed: ${code} ${reason}`)))
    socket.on("error", (error) => this.#onFault(error))
  }

  /** Opens a socket at the end of the stream. Whatever the side says first has been heard. */
  static async open(side: Side, path: string): Promise<SocketLoad> {
    const { url, protocols, greets } = side.socket(path)
    const socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, skipUTF8Validation: true })
    await Promise.all([once(socket, "open"), ...(greets ? [once(socket, "message")] : [])])
    return new SocketLoad(socket, side.meaning)
  }

  /** Sends a frame. @returns when it is acknowledged; one at a time. */
  ask(frame: string | Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onAck = resolve
      this.#onFault = reject
      this.#socket.send(frame)
    })
  }

  /** Sends all frames, `window` of them open at a time. @returns when the last is acknowledged. */
  pipeline(frames: readonly (string | Buffer)[], window: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let [sent, acknowledged] = [0, 0]
      const sendNext = () => {
        const frame = frames[sent++]
        if (frame !== undefined) this.#socket.send(frame)
      }
      this.#onFault = reject
      this.#onAck = () => {
        if (++acknowledged === frames.length) resolve()
        else sendNext()
      }
      for (let i = 0; i < window; i++) sendNext()
    })
  }

  /** When the next event of somebody else's arrives, by the clock of `performance.now()`. */
  news(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#onNews = () => resolve(performance.now())
      this.#onFault = reject
    })
  }

  close(): void {
    this.#onFault = () => undefined
    this.#socket.terminate()
  }

  #hear(frame: RawData): void {
    if (!Buffer.isBuffer(frame)) throw new Error("ws hands over buffers unless told otherwise.")
    switch (this.#meaning(frame)) {
      case "ack":
        return this.#onAck()
      case "news":
        return this.#onNews()
      case "refusal":
        return this.#onFault(new Error(`An append was answered ${frame.toString()}`))
    }
  }
}

/** Opens many sockets, some at a time, and closes them when the work is done. */
export async function withSockets<T>(
  side: Side,
  path: string,
  count: number,
  act: (sockets: readonly SocketLoad[]) => Promise<T>,
): Promise<T> {
  const sockets: SocketLoad[] = []
  try {
    while (sockets.length < count) {
      const some = Math.min(OPENED_AT_ONCE, count - sockets.length)
      sockets.push(...(await Promise.all(Array.from({ length: some }, () => SocketLoad.open(side, path)))))
    }
    return await act(sockets)
  } finally {
    for (const socket of sockets) socket.close()
  }
}
