import { unreachable } from "../../shared/assert.ts"
import { parseBatch } from "../../shared/batch.ts"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import type { ErrorCode } from "../../shared/errors.ts"
import {
  type AppendReply,
  CLOSE,
  decodeEdgeFrame,
  type EdgeFrame,
  encodeAppendFrame,
  PING,
  SUBPROTOCOL,
} from "../../shared/frames.ts"
import type { Page } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import type { FrozenBatch } from "../../shared/outbox.ts"
import { FIRST_LOOK, type Progress, progressOf } from "../../shared/progress.ts"
import type { Host, Socket } from "../host.ts"
import { type Failure, unreached } from "./edge-requests.ts"

/** Why a socket is no more. */
export type SocketEnd =
  | Failure
  /** So much is missing that it is read over HTTP. */
  | { readonly kind: "behind" }
  /** The stream is closed and was told to its end. */
  | { readonly kind: "closed" }

export interface LiveSocketListener {
  /** Everything that the stream holds has been told; from now on it is told as it happens. Once. */
  upToDate(): void
  page(page: Page): void
  reply(reply: AppendReply): void
  /** Last call. Not after `close`. */
  ended(end: SocketEnd): void
}

/** Where a socket is opened, and the subprotocols that it offers. */
export type SocketAddress = { readonly url: string; readonly protocols: readonly string[] }

/** One socket to one stream, from its opening to its end: frames become pages, silence becomes an end. */
export class LiveSocket {
  readonly #host: Pick<Host, "after">
  readonly #listener: LiveSocketListener
  readonly #socket: Socket
  #isUpToDate = false
  #isOver = false
  /** How many appends were sent: each has its own name, since a batch of another epoch may have the same number. */
  #appends = 0
  /** The last one, if it has no reply yet. */
  #unanswered: { readonly id: number; readonly seq: number } | undefined
  #isPongAwaited = false
  #stopTimer: () => void

  constructor(
    host: Pick<Host, "after" | "openSocket">,
    { url, protocols }: SocketAddress,
    listener: LiveSocketListener,
  ) {
    this.#host = host
    this.#listener = listener
    this.#stopTimer = host.after(COMMON_LIMITS.requestMsMax, () =>
      this.#fail("unreachable", "The socket did not open."),
    )
    this.#socket = host.openSocket(url, [...protocols], {
      opened: (protocol) => this.#opened(protocol),
      frame: (text) => this.#frame(text),
      closed: (code) => this.#end(endOf(code)),
    })
  }

  /** Sends a batch. Its reply carries the batch's number as id; of what was sent before it none is told any more. */
  append({ producer, epoch, seq }: FrozenBatch, text: string, expected: Offset | undefined): void {
    const header = { t: "append", id: this.#appends, producer, epoch, seq } as const
    const only = expected === undefined ? {} : { expectedOffset: expected }
    const frame = encodeAppendFrame({ ...header, ...only, body: text })
    if (typeof frame !== "string") return // a text body makes a text frame
    this.#unanswered = { id: this.#appends++, seq }
    this.#socket.send(frame)
  }

  /** Bytes that were sent and have not left this device. */
  buffered(): number {
    return this.#socket.buffered()
  }

  /** It was silent for so long that a sign of life was asked for, and none has come yet. */
  get isInDoubt(): boolean {
    return this.#isPongAwaited
  }

  /** Idempotent. The listener hears nothing more. */
  close(): void {
    this.#isOver = true
    this.#stopTimer()
    this.#socket.close()
  }

  #opened(protocol: string): void {
    if (protocol === SUBPROTOCOL) return this.#heard()
    this.#fail("not-an-edge", `The socket should speak ${SUBPROTOCOL}; it speaks ${protocol || "nothing"}.`)
  }

  /** Until all that was there has been told a pong is no sign of life: it comes from in front of the stream. */
  #frame(text: string): void {
    const frame = decodeEdgeFrame(text)
    if (!frame.ok)
      return this.#fail("not-an-edge", `The socket should tell frames of an edge. ${frame.reason}`)
    this.#told(frame.value)
    if (this.#isUpToDate || frame.value.t !== "pong") this.#heard()
  }

  #told(frame: EdgeFrame): void {
    switch (frame.t) {
      case "data":
        return this.#data(frame)
      case "control":
        return this.#reached(frame)
      case "reply":
        return this.#replied(frame)
      case "behind":
        return this.#end({ kind: "behind" })
      case "pong":
        return
      default:
        return unreachable(frame)
    }
  }

  /** A reply may come late: when the log has already told of its batch, and the next one was sent. */
  #replied(reply: AppendReply): void {
    if (reply.id !== this.#unanswered?.id) return
    const { seq } = this.#unanswered
    this.#unanswered = undefined
    this.#listener.reply({ ...reply, id: seq })
  }

  #data(frame: Extract<EdgeFrame, { t: "data" }>): void {
    const { from, next, body } = frame
    if (typeof body !== "string") return this.#fail("not-an-edge", "The socket of a JSON stream told bytes.")
    const messages = messagesOf(body)
    if (messages === undefined) return this.#fail("not-an-edge", "The socket told a batch that is no JSON.")
    this.#listener.page({ from, next, text: body, messages })
    this.#reached(frame)
  }

  #reached({ upToDate, closed }: { readonly upToDate: boolean; readonly closed: boolean }): void {
    if (upToDate && !this.#isUpToDate) {
      this.#isUpToDate = true
      this.#listener.upToDate()
    }
    if (closed) this.#end({ kind: "closed" })
  }

  /** Any frame is a sign of life. After a while without one a ping asks for it; without an answer the line is dead. */
  #heard(): void {
    if (this.#isOver) return
    this.#stopTimer()
    this.#isPongAwaited = false
    this.#stopTimer = this.#isUpToDate
      ? this.#host.after(COMMON_LIMITS.pingMsInterval, () => this.#ping())
      : this.#host.after(COMMON_LIMITS.requestMsMax, () =>
          this.#fail("unreachable", "The socket tells nothing."),
        )
  }

  #ping(): void {
    this.#isPongAwaited = true
    this.#socket.send(PING)
    this.#awaitPong(FIRST_LOOK)
  }

  /** The ping stands behind what is being uploaded, and so does its answer: as long as that goes on, the line lives. */
  #awaitPong(before: Progress): void {
    this.#stopTimer = this.#host.after(COMMON_LIMITS.pongLookMs, () => {
      const progress = progressOf(before, this.#socket.buffered(), COMMON_LIMITS.pongLookMs)
      const boundMs = this.#unanswered ? COMMON_LIMITS.uploadPongMsMax : COMMON_LIMITS.pongMsMax
      if (progress.idleMs < boundMs) return this.#awaitPong(progress)
      this.#fail("unreachable", `The edge said nothing for ${COMMON_LIMITS.pingMsInterval + boundMs} ms.`)
    })
  }

  #fail(code: ErrorCode, message: string): void {
    this.#end(unreached(code, message))
  }

  #end(end: SocketEnd): void {
    this.close()
    this.#listener.ended(end)
  }
}

function messagesOf(batch: string): unknown[] | undefined {
  try {
    return parseBatch(batch)
  } catch {
    return undefined // the caller says what came instead
  }
}

/** The browser's own word for a socket that nobody has closed. */
const NOBODY = 1006

function endOf(code: number): SocketEnd {
  switch (code) {
    case CLOSE.behind:
      return { kind: "behind" }
    case CLOSE.unauthorized: {
      const message = "The edge closed the socket: the token has ended, was revoked, or is not taken."
      return { kind: "failed", error: { code: "unauthorized", message } }
    }
    case CLOSE.full: {
      const error = { code: "throttled", message: "The stream has as many readers as it may have." } as const
      return { kind: "failed", error, leastMs: COMMON_LIMITS.roomRetrySecondsMin * 1_000 }
    }
    case CLOSE.missing:
      return { kind: "missing" }
    case CLOSE.gone: {
      const message = "The edge no longer has this device's place. It is asked why over HTTP."
      return { kind: "failed", error: { code: "unreachable", message } }
    }
    default: {
      const error = { code: "unreachable", message: `The socket was closed with code ${code}.` } as const
      return { kind: "failed", error, unreached: code === NOBODY }
    }
  }
}
