import { DurableObject } from "cloudflare:workers"
import type { AppendClaim } from "../../shared/append.ts"
import type { Reply } from "../../shared/append-reply.ts"
import { good } from "../../shared/decoded.ts"
import { CLOSE, PING, PONG, SUBPROTOCOL } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Env } from "../env.ts"
import { httpBody } from "./append-body.ts"
import { AppendQueue } from "./append-queue.ts"
import type { CreateClaim, CreateFault, CreateOutcome } from "./create.ts"
import type { ForkAsk, ForkClaim, ForkGrant, ForkPoint } from "./fork-claim.ts"
import type { ForkId } from "./fork-record.ts"
import { Forking } from "./forking.ts"
import { readerOf } from "./socket-reader.ts"
import { type Inherited, type Page, type ReadFault, StreamCore } from "./stream-core.ts"
import type { SqlValue } from "./stream-host.ts"
import type { Absent } from "./stream-life.ts"
import type { StreamState } from "./stream-record.ts"

/**
 * One stream's Durable Object: it lends its storage, clock, sockets and alarm to the core, and decides
 * nothing.
 */
export class StreamObject extends DurableObject<Env> {
  readonly #core: StreamCore
  readonly #queue: AppendQueue
  readonly #forking: Forking

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
      letGo: (fork) => this.#forking.letGo(fork),
    })
    this.#forking = new Forking({
      forks: this.#core.forks,
      peer: (path) => env.STREAMS.getByName(path),
      newId: () => crypto.randomUUID() as ForkId, // the one place that makes them
    })
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

  read(offset: string, bytesMax?: number): Page | Inherited | ReadFault {
    return this.#core.read(offset, bytesMax)
  }

  head(): StreamState | Absent {
    return this.#core.head()
  }

  async delete(): Promise<{ readonly kind: "done" } | Absent> {
    const outcome = this.#core.delete()
    await this.#forking.told() // so that whoever deletes a fork, and then its source, finds the source gone
    return outcome
  }

  /** What `fork` would come to, if that does not depend on the source. */
  existingFork(claim: ForkClaim): CreateOutcome | undefined {
    return this.#core.forks.existing(claim)
  }

  /** Makes this stream, whose path is `path`, a fork. */
  fork(
    path: string,
    claim: ForkClaim,
    point: ForkPoint,
    body: Uint8Array<ArrayBuffer>,
  ): Promise<CreateOutcome> {
    return this.#forking.create(path, claim, point, httpBody(body))
  }

  /** For a fork: stores a reference to it. */
  grantFork(ask: ForkAsk): ForkGrant | CreateFault {
    return this.#core.forks.grant(ask)
  }

  /** For a fork: it is no more. */
  dropFork(id: ForkId): void {
    this.#core.forks.drop(id)
  }

  /** For the source of a fork: whether it is there, or may be soon. */
  holdsFork(id: ForkId): boolean {
    return this.#forking.holds(id)
  }

  /** For the readers of a fork: what it inherits from this stream. */
  readPart(from: Offset, until: Offset, bytesMax: number): Page | ReadFault {
    return this.#core.readPart(from, until, bytesMax)
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

  override async alarm(): Promise<void> {
    this.#core.expire()
    await this.#forking.look()
  }
}

/** A Durable Object binds buffers, not views of a part of one. */
function bindable(value: SqlValue): SqlStorageValue {
  if (!(value instanceof Uint8Array)) return value
  const isWhole = value.byteLength === value.buffer.byteLength
  return (isWhole ? value.buffer : value.slice().buffer) as ArrayBuffer // nothing here is shared between threads
}
