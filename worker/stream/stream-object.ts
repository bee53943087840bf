import { DurableObject } from "cloudflare:workers"
import type { AppendClaim } from "../../shared/append.ts"
import type { Reply } from "../../shared/append-reply.ts"
import { good } from "../../shared/decoded.ts"
import { CLOSE, PING, PONG } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { noRoom } from "../../shared/refusals.ts"
import { boundsFor } from "../configuration.ts"
import type { Env } from "../env.ts"
import { AppendRate } from "../limits/append-rate.ts"
import { RareLog } from "../limits/rare-log.ts"
import { type Facts, log } from "../log.ts"
import { Meter } from "../meter/meter.ts"
import type { MeterReport } from "../meter/meter-report.ts"
import { R2Store, sha256 } from "../segments/r2-store.ts"
import { Sealer } from "../segments/sealer.ts"
import { httpBody } from "./append-body.ts"
import { AppendQueue } from "./append-queue.ts"
import type { AppendAsk } from "./append-turn.ts"
import type { CreateClaim } from "./create.ts"
import { answer } from "./fan-out.ts"
import { closedSocket, upgraded } from "./socket-answer.ts"
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
import type { TermsChange } from "./stream-management.ts"

/**
 * One stream's Durable Object: it lends its storage, clock, sockets and alarm to the core, and decides
 * nothing.
 */
export class StreamObject extends DurableObject<Env> {
  readonly #core: StreamCore
  readonly #queue: AppendQueue
  readonly #sealer: Sealer | undefined
  readonly #bounds: Bounds
  readonly #meter = new Meter(now())
  readonly #rate: AppendRate
  readonly #refusals: RareLog

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    this.#bounds = boundsFor(env)
    this.#rate = new AppendRate({ bounds: this.#bounds, now })
    this.#refusals = new RareLog(this.#bounds.logRepeatMsInterval)
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    const host = {
      name: state.id.toString(),
      bounds: this.#bounds,
      seals: env.SEGMENTS !== undefined,
      now,
      exec: (sql: string, ...values: SqlValue[]) =>
        this.#meter.statement(storage.sql.exec(sql, ...values.map(bindable))),
      transact: <T>(work: () => T) => storage.transactionSync(work),
      readers: () => state.getWebSockets().map(readerOf),
      wakeAt: (at: Millis) => this.#setAlarm(at),
    }
    this.#core = new StreamCore(host, this.#meter)
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
    this.#requested(body.length)
    return this.#core.create(claim, httpBody(body))
  }

  append(claim: AppendClaim, body: Uint8Array<ArrayBuffer>): Promise<Reply> {
    this.#requested(body.length)
    return this.#append({ claim: good(claim), body: httpBody(body) })
  }

  read(offset: string, end?: string): Page | Sealed | ReadFault {
    this.#requested()
    return this.#core.read(offset, end)
  }

  segments(): SegmentList | Missing {
    this.#requested()
    return this.#core.segments()
  }

  head(): StreamState | Missing {
    this.#requested()
    return this.#core.head()
  }

  delete(): boolean {
    this.#requested()
    return this.#core.delete()
  }

  /** Changes how much of the stream is kept, and what it may cost. False when there is none. */
  change(change: TermsChange): boolean {
    this.#requested()
    return this.#core.management.change(change)
  }

  /** What the stream's use has come to. */
  meter(): MeterReport | Missing {
    this.#requested()
    return this.#core.management.meter(this.ctx.storage.sql.databaseSize)
  }

  /** Who created the stream, where the edge knows its callers; undefined when there is none. */
  creator(): string | undefined {
    this.#requested()
    return this.#core.management.creator()
  }

  /**
   * Opens a socket at the offset of the request's query. Whatever is wrong with it, the socket is closed
   * saying so. A feed of the edge's own is told in a status that there is no room.
   */
  override fetch(request: Request): Response {
    this.#requested()
    const { searchParams } = new URL(request.url)
    if (this.ctx.getWebSockets().length >= this.#bounds.socketsMax) {
      const { status, headers, message = "" } = noRoom(this.#bounds)
      this.#refusals.say("stream full", this.#facts(), now())
      const isFeed = searchParams.get("live") === "feed"
      return isFeed ? Response.json({ message }, { status, headers }) : closedSocket(CLOSE.full, message)
    }
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    this.#core.connect(readerOf(server), searchParams.get("offset") ?? "")
    return upgraded(client)
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    this.#meter.passTo(now())
    this.#meter.count("framesIn", 1)
    const ask = this.#core.asked(readerOf(socket), data)
    if (ask === undefined) return
    this.#meter.count("bytesIn", ask.body.bytes)
    await this.#append(ask)
  }

  override webSocketClose(socket: WebSocket): void {
    readerOf(socket).close(CLOSE.done, "")
  }

  /**
   * What is due by itself. Whatever fails is tried again by an alarm of our own: the platform would try a few times and
   * then never again.
   */
  override async alarm(): Promise<void> {
    this.#requested()
    this.#core.expire()
    try {
      await this.#sealer?.run()
      this.#core.expire()
    } catch (error) {
      log("upkeep failed", { ...this.#facts(), error: String(error) })
      this.#setAlarm(now() + this.#bounds.upkeepRetryMs)
    }
  }

  /** The reply to one append, whatever carried it. */
  async #append(ask: AppendAsk): Promise<Reply> {
    const hasty = this.#rate.refusal()
    if (hasty !== undefined) answer({ ask, reply: hasty }, this.#meter)
    const reply = hasty ?? (await this.#queue.append(ask))
    if (reply.status === 429) {
      const message = hasty === undefined ? "budget reached" : "rate limited"
      this.#refusals.say(message, this.#facts(), now())
    }
    return reply
  }

  #requested(bytesIn = 0): void {
    this.#meter.passTo(now())
    this.#meter.count("requests", 1)
    this.#meter.count("bytesIn", bytesIn)
  }

  /** By what an operator finds the stream. */
  #facts(): Facts {
    const { id } = this.ctx
    return { object: id.toString(), ...(id.name !== undefined && { stream: id.name }) }
  }

  #setAlarm(at: number): void {
    void this.ctx.storage.setAlarm(at)
    this.#meter.count("rowsWritten", 1) // as the platform bills it
  }
}

function now(): Millis {
  return Date.now() as Millis // which is what Date.now counts
}

/** A Durable Object binds buffers, not views of a part of one. */
function bindable(value: SqlValue): SqlStorageValue {
  if (!(value instanceof Uint8Array)) return value
  const isWhole = value.byteLength === value.buffer.byteLength
  return (isWhole ? value.buffer : value.slice().buffer) as ArrayBuffer // nothing here is shared between threads
}
