import { env, exports } from "cloudflare:workers"
import { extendChain } from "../../shared/chain.ts"
import {
  type AppendFrame,
  decodeEdgeFrame,
  type EdgeFrame,
  encodeAppendFrame,
  SUBPROTOCOL,
} from "../../shared/frames.ts"
import { issueOffset, readIssuedOffset } from "../../shared/offset.ts"

export const ORIGIN = "http://localhost"

let streams = 0

/** The address of a stream that no other test has. */
export function newStream(): string {
  streams++
  return `test/${crypto.randomUUID()}-${streams}`
}

/** One request to the edge, as the runtime would hand it in. */
export function ask(path: string, init?: RequestInit): Promise<Response> {
  return exports.default.fetch(new Request(`${ORIGIN}/v1/stream/${path}`, init))
}

export function create(
  path: string,
  contentType = "application/json",
  init: RequestInit = {},
): Promise<Response> {
  return ask(path, { ...init, method: "PUT", headers: { "content-type": contentType, ...init.headers } })
}

export function append(
  path: string,
  body: BodyInit,
  headers: Record<string, string> = {},
): Promise<Response> {
  return ask(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } })
}

export function producer(id: string, epoch: number, seq: number): Record<string, string> {
  return { "producer-id": id, "producer-epoch": String(epoch), "producer-seq": String(seq) }
}

/** The offset that the edge gives to the place after these messages, which follow the offset. */
export function offsetAfter(offset: string, ...messages: string[]): string {
  const issued = readIssuedOffset(offset)!
  const chain = extendChain(issued.chain, messages.join(","))
  return issueOffset({ ...issued, position: issued.position + messages.length, chain })
}

export function objectOf(path: string) {
  return env.STREAMS.getByName(path)
}

/** What came out of a socket: its frames in order, and then why it closed. */
export type Heard = EdgeFrame | { readonly t: "close"; readonly code: number; readonly reason: string }

/** A client's end of a socket. */
export class EdgeSocket {
  readonly #socket: WebSocket
  readonly #heard: Heard[] = []
  #wake: () => void = () => undefined

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.binaryType = "arraybuffer"
    socket.addEventListener("message", ({ data }) => {
      const frame = decodeEdgeFrame(data)
      if (!frame.ok) throw new Error(frame.reason)
      this.#hear(frame.value)
    })
    socket.addEventListener("close", ({ code, reason }) => this.#hear({ t: "close", code, reason }))
    socket.accept()
  }

  static async open(path: string, offset: string): Promise<EdgeSocket> {
    const { webSocket } = await upgrade(path, offset)
    if (webSocket === null) throw new Error("The edge answered without a socket.")
    return new EdgeSocket(webSocket)
  }

  /** What an upgrade is answered that opens no socket. */
  static async refusal(path: string, offset: string): Promise<Response> {
    const response = await upgrade(path, offset)
    if (response.webSocket !== null) throw new Error("A refusal was expected; a socket opened.")
    return response
  }

  /** The next frame, or the close; waits until there is one. */
  async next(): Promise<Heard> {
    while (this.#heard.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#heard.shift()!
  }

  /** Sends an append and takes what comes up to its reply; the reply is the last. */
  async append(frame: Omit<AppendFrame, "t">): Promise<Heard[]> {
    this.#socket.send(encodeAppendFrame({ t: "append", ...frame }))
    const heard: Heard[] = []
    for (;;) {
      const one = await this.next()
      heard.push(one)
      if (one.t === "close" || (one.t === "reply" && one.id === frame.id)) return heard
    }
  }

  send(data: string | ArrayBuffer): void {
    this.#socket.send(data)
  }

  close(): void {
    this.#socket.close(1000, "")
  }

  #hear(heard: Heard): void {
    this.#heard.push(heard)
    this.#wake()
  }
}

export function upgrade(
  path: string,
  offset: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  return ask(`${path}?live=ws&offset=${offset}`, {
    headers: { upgrade: "websocket", "sec-websocket-protocol": SUBPROTOCOL, ...headers },
  })
}
