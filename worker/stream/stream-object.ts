import { DurableObject } from "cloudflare:workers"
import type { AppendClaim } from "../../shared/append.ts"
import type { AppendOutcome } from "../../shared/append-reply.ts"
import { CLOSE, PING, PONG, SUBPROTOCOL } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Env } from "../env.ts"
import { httpBody } from "./append-body.ts"
import type { CreateClaim } from "./create.ts"
import { readerOf } from "./socket-reader.ts"
import {
  type CreateOutcome,
  type Missing,
  type Page,
  type ReadFault,
  StreamCore,
  type StreamState,
} from "./stream-core.ts"
import type { SqlValue } from "./stream-host.ts"

/**
 * One stream's Durable Object: it lends its storage, clock, sockets and alarm to the core, and decides
 * nothing.
 */
export class StreamObject extends DurableObject<Env> {
  readonly #core: StreamCore

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    this.#core = new StreamCore({
      now: () => Date.now() as Millis,
      exec: (sql, ...values) => storage.sql.exec(sql, ...values.map(bindable)),
      transact: (work) => storage.transactionSync(work),
      readers: () => state.getWebSockets().map(readerOf),
      wakeAt: (at) => void storage.setAlarm(at),
    })
  }

  create(claim: CreateClaim, body: Uint8Array<ArrayBuffer>): CreateOutcome {
    return this.#core.create(claim, httpBody(body))
  }

  append(claim: AppendClaim, body: Uint8Array<ArrayBuffer>): AppendOutcome {
    return this.#core.append(claim, httpBody(body))
  }

  read(offset: string): Page | ReadFault {
    return this.#core.read(offset)
  }

  head(): StreamState | Missing {
    return this.#core.head()
  }

  delete(): boolean {
    return this.#core.delete()
  }

  /**
   * Opens a socket at the offset of the request's query. Whatever is wrong with it, the socket is closed
   * saying so.
   */
  override fetch(request: Request): Response {
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    this.#core.connect(readerOf(server), new URL(request.url).searchParams.get("offset") ?? "")
    const headers = { "Sec-WebSocket-Protocol": SUBPROTOCOL }
    return new Response(null, { status: 101, webSocket: client, headers })
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    this.#core.receive(readerOf(socket), data)
  }

  override webSocketClose(socket: WebSocket): void {
    readerOf(socket).close(CLOSE.done, "")
  }

  override alarm(): void {
    this.#core.expire()
  }
}

/** A Durable Object binds buffers, not views of a part of one. */
function bindable(value: SqlValue): SqlStorageValue {
  if (!(value instanceof Uint8Array)) return value
  const isWhole = value.byteLength === value.buffer.byteLength
  return (isWhole ? value.buffer : value.slice().buffer) as ArrayBuffer // nothing here is shared between threads
}
