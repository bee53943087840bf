import { decodeEdgeFrame, type EdgeFrame, type FrameData, SUBPROTOCOL } from "../../shared/frames.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Caller } from "../access/caller.ts"
import { withClaim } from "../access/claim-header.ts"
import type { StreamObject } from "../stream/stream-object.ts"

export type StreamStub = DurableObjectStub<StreamObject>

/** A stream's object, and who asks it. */
export type StreamAccess = { readonly stub: StreamStub; readonly caller: Caller }

/**
 * What comes after an offset, as it comes, over a socket to the stream's object. The object may hibernate
 * while nobody appends; the waiting is done here, where it costs nothing.
 */
export class Feed {
  readonly #socket: WebSocket
  readonly #frames: EdgeFrame[] = []
  #isOver = false
  #wake: () => void = () => undefined

  private constructor(socket: WebSocket, signal: AbortSignal) {
    this.#socket = socket
    socket.binaryType = "arraybuffer"
    socket.addEventListener("message", ({ data }) => this.#take(data))
    socket.addEventListener("close", () => this.#end())
    socket.addEventListener("error", () => this.#end())
    signal.addEventListener("abort", () => this.close())
    socket.accept()
    if (signal.aborted) this.close()
  }

  /**
   * Opens the socket in the caller's name, if the stream has room for it. It is closed when `signal` aborts, or
   * when the caller's time is over.
   */
  static async open(
    { stub, caller }: StreamAccess,
    offset: Offset,
    signal: AbortSignal,
  ): Promise<Feed | undefined> {
    const headers = { Upgrade: "websocket", "Sec-WebSocket-Protocol": SUBPROTOCOL }
    const request = new Request(`https://stream/?live=feed&offset=${offset}`, { headers })
    const { webSocket, status } = await stub.fetch(withClaim(request, caller))
    if (status === 429) return undefined
    if (webSocket === null) throw new Error("The stream's object answered an upgrade without a socket.")
    return new Feed(webSocket, signal)
  }

  /** The next frame; undefined once the socket has closed and all its frames were taken. */
  async next(): Promise<EdgeFrame | undefined> {
    while (this.#frames.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#frames.shift()
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOver) this.#socket.close(1000, "")
    this.#end()
  }

  #take(data: FrameData): void {
    const frame = decodeEdgeFrame(data)
    if (!frame.ok) throw new Error(`The stream's object sent a frame that is none: ${frame.reason}`)
    this.#frames.push(frame.value)
    this.#wake()
  }

  #end(): void {
    this.#isOver = true
    this.#wake()
  }
}
