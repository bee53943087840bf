import { decodeEdgeFrame, type EdgeFrame, type FrameData, SUBPROTOCOL } from "../../shared/frames.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Caller } from "../access/caller.ts"
import { withClaim } from "../access/claim-header.ts"
import type { StreamObject } from "../stream/stream-object.ts"

export type StreamStub = DurableObjectStub<StreamObject>

/** A stream's object, and who asks it. */
export type StreamAccess = { readonly stub: StreamStub; readonly caller: Caller }

/** What a feed is of, and how many bytes of messages it may hold for somebody who is slow to take them. */
export type FeedSource = StreamAccess & { readonly readBytesMax: number }

/**
 * What comes after an offset, as it comes, over a socket to the stream's object. The object may hibernate
 * while nobody appends; the waiting is done here, where it costs nothing. A feed whose frames are not taken ends once
 * they come to more than a page: what they held is still in the stream.
 */
export class Feed {
  readonly #socket: WebSocket
  readonly #frames: EdgeFrame[] = []
  readonly #bytesMax: number
  #bytes = 0
  #isOver = false
  #wake: () => void = () => undefined

  private constructor(socket: WebSocket, bytesMax: number, signal: AbortSignal) {
    this.#socket = socket
    this.#bytesMax = bytesMax
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
    { stub, caller, readBytesMax }: FeedSource,
    offset: Offset,
    signal: AbortSignal,
  ): Promise<Feed | undefined> {
    const headers = { Upgrade: "websocket", "Sec-WebSocket-Protocol": SUBPROTOCOL }
    const request = new Request(`https://stream/?live=feed&offset=${offset}`, { headers })
    const { webSocket, status } = await stub.fetch(withClaim(request, caller))
    if (status === 429) return undefined
    if (webSocket === null) throw new Error("The stream's object answered an upgrade without a socket.")
    return new Feed(webSocket, readBytesMax, signal)
  }

  /**
   * The next frame, without gap; undefined once the socket has closed and all its frames were taken, or were too many
   * to keep.
   */
  async next(): Promise<EdgeFrame | undefined> {
    while (this.#frames.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    const frame = this.#frames.shift()
    if (frame !== undefined) this.#bytes -= bytesOf(frame)
    return frame
  }

  /** Idempotent. */
  close(): void {
    if (!this.#isOver) this.#socket.close(1000, "")
    this.#end()
  }

  #take(data: FrameData): void {
    if (this.#isOver) return // after a frame that was dropped, another one would leave a gap
    const frame = decodeEdgeFrame(data)
    if (!frame.ok) throw new Error(`The stream's object sent a frame that is none: ${frame.reason}`)
    const bytes = bytesOf(frame.value)
    if (this.#bytes > 0 && this.#bytes + bytes > this.#bytesMax) return this.#overflow()
    this.#bytes += bytes
    this.#frames.push(frame.value)
    this.#wake()
  }

  #overflow(): void {
    this.#frames.length = 0
    this.#bytes = 0
    this.close()
  }

  #end(): void {
    this.#isOver = true
    this.#wake()
  }
}

/** Of a text its characters: a bound on what is held need not be exact. */
function bytesOf(frame: EdgeFrame): number {
  return frame.t === "data" ? frame.body.length : 0
}
