import { DurableObject } from "cloudflare:workers"
import type { AppendClaim } from "../../shared/append.ts"
import type { Reply } from "../../shared/append-reply.ts"
import { good } from "../../shared/decoded.ts"
import { CLOSE, PING, PONG, SUBPROTOCOL } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { type Bounds, LIMITS } from "../../shared/limits.ts"
import { boundsOf } from "../bounds.ts"
import type { Env } from "../env.ts"
import { log } from "../log.ts"
import { R2Store, sha256 } from "../segments/r2-store.ts"
import { Sealer } from "../segments/sealer.ts"
import { httpBody } from "./append-body.ts"
import { AppendQueue } from "./append-queue.ts"
import type { CreateClaim } from "./create.ts"
import { readerOf } from "./socket-reader.ts"
import {
  type CreateOutcome,
  type Missing,
  type Page,
  type ReadFault,
  type Sealed,
  type SegmentList,
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
  readonly #queue: AppendQueue
  readonly #sealer: Sealer | undefined
  readonly #bounds: Bounds

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    const bounds = boundsOf(env)
    this.#bounds = bounds.ok ? bounds.value : LIMITS // a bad variable is told by every request, before it gets here
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    this.#core = new StreamCore({
      name: state.id.toString(),
      bounds: this.#bounds,
      seals: env.SEGMENTS !== undefined,
      now: () => Date.now() as Millis,
      exec: (sql, ...values) => storage.sql.exec(sql, ...values.map(bindable)),
      transact: (work) => storage.transactionSync(work),
      readers: () => state.getWebSockets().map(readerOf),
      wakeAt: (at) => void storage.setAlarm(at),
    })
    const { seals } = this.#core
    if (env.SEGMENTS !== undefined) {
      this.#sealer = new Sealer({ seals, store: new R2Store(env.SEGMENTS), digest: sha256 })
    }
    this.#queue = new AppendQueue({
      appendAll: (asks) => this.#core.appendAll(asks),
      flushed: () => storage.sync(),
    })
  }

  create(claim: CreateClaim, body: Uint8Array<ArrayBuffer>): CreateOutcome {
    return this.#core.create(claim, httpBody(body))
  }

  append(claim: AppendClaim, body: Uint8Array<ArrayBuffer>): Promise<Reply> {
    return this.#queue.append({ claim: good(claim), body: httpBody(body) })
  }

  read(offset: string, end?: string): Page | Sealed | ReadFault {
    return this.#core.read(offset, end)
  }

  segments(): SegmentList | Missing {
    return this.#core.segments()
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

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const ask = this.#core.asked(readerOf(socket), data)
    if (ask !== undefined) await this.#queue.append(ask)
  }

  override webSocketClose(socket: WebSocket): void {
    readerOf(socket).close(CLOSE.done, "")
  }

  /**
   * What is due by itself. Whatever fails is tried again by an alarm of our own: the platform would try a few times and
   * then never again.
   */
  override async alarm(): Promise<void> {
    this.#core.expire()
    try {
      await this.#sealer?.run()
      this.#core.expire()
    } catch (error) {
      log("upkeep failed", { object: this.ctx.id.toString(), error: String(error) })
      await this.ctx.storage.setAlarm(Date.now() + this.#bounds.upkeepRetryMs)
    }
  }
}

/** A Durable Object binds buffers, not views of a part of one. */
function bindable(value: SqlValue): SqlStorageValue {
  if (!(value instanceof Uint8Array)) return value
  const isWhole = value.byteLength === value.buffer.byteLength
  return (isWhole ? value.buffer : value.slice().buffer) as ArrayBuffer // nothing here is shared between threads
}
