import { DurableObject } from "cloudflare:workers"
import type { AppendClaim } from "../../shared/append.ts"
import { MISSING, type Reply } from "../../shared/append-reply.ts"
import { good } from "../../shared/decoded.ts"
import { CLOSE, PING, PONG } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Caller } from "../access/caller.ts"
import { claimOf } from "../access/claim-header.ts"
import { boundsOf } from "../bounds.ts"
import type { Env } from "../env.ts"
import { log } from "../log.ts"
import { R2Store, sha256 } from "../segments/r2-store.ts"
import { Sealer } from "../segments/sealer.ts"
import { httpBody } from "./append-body.ts"
import { AppendQueue } from "./append-queue.ts"
import { Callers } from "./callers.ts"
import type { CreateClaim } from "./create.ts"
import type { Revocation } from "./revocations.ts"
import { SharedAlarm } from "./shared-alarm.ts"
import { closedSocket, upgraded } from "./socket-answer.ts"
import { markSocket, readerOf } from "./socket-reader.ts"
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
import type { Ticket } from "./tickets.ts"

/**
 * One stream's Durable Object: it lends its storage, clock, sockets and alarm to the core, and decides
 * nothing.
 */
export class StreamObject extends DurableObject<Env> {
  readonly #core: StreamCore
  readonly #queue: AppendQueue
  readonly #sealer: Sealer | undefined
  readonly #callers: Callers
  readonly #alarm: SharedAlarm

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    const bounds = boundsOf(env)
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    this.#alarm = new SharedAlarm((at) => void storage.setAlarm(at))
    const host = {
      name: state.id.toString(),
      bounds: bounds.ok ? bounds.value : LIMITS, // a bad variable is told by every request, before it gets here
      seals: env.SEGMENTS !== undefined,
      now: () => Date.now() as Millis, // what Date.now counts is what Millis means
      exec: (sql: string, ...values: SqlValue[]) => storage.sql.exec(sql, ...values.map(bindable)),
      transact: <T>(work: () => T) => storage.transactionSync(work),
      wakeAt: (at: Millis) => this.#alarm.wakeAt(at),
    }
    this.#callers = new Callers({ ...host, sockets: () => state.getWebSockets().map(readerOf) })
    this.#core = new StreamCore({ ...host, readers: () => this.#callers.listeners() })
    this.#queue = new AppendQueue({
      appendAll: (asks) => this.#core.appendAll(asks),
      flushed: () => storage.sync(),
    })
    if (env.SEGMENTS !== undefined) {
      this.#sealer = new Sealer({ seals: this.#core.seals, store: new R2Store(env.SEGMENTS), digest: sha256 })
    }
    this.#alarm.join(() => this.#callers.expire())
    this.#alarm.join(() => this.#core.expire())
    void state.blockConcurrencyWhile(async () => {
      this.#alarm.restore(((await storage.getAlarm()) ?? undefined) as Millis | undefined) // set from one
    })
  }

  create(claim: CreateClaim, body: Uint8Array<ArrayBuffer>, caller: Caller): CreateOutcome | Missing {
    return this.#callers.admits(caller) ? this.#core.create(claim, httpBody(body)) : ABSENT
  }

  async append(claim: AppendClaim, body: Uint8Array<ArrayBuffer>, caller: Caller): Promise<Reply> {
    if (!this.#callers.admits(caller)) return MISSING
    return this.#queue.append({ claim: good(claim), body: httpBody(body) })
  }

  read(offset: string, end: string | undefined, caller: Caller): Page | Sealed | ReadFault {
    return this.#callers.admits(caller) ? this.#core.read(offset, end) : ABSENT
  }

  segments(caller: Caller): SegmentList | Missing {
    return this.#callers.admits(caller) ? this.#core.segments() : ABSENT
  }

  head(caller: Caller): StreamState | Missing {
    return this.#callers.admits(caller) ? this.#core.head() : ABSENT
  }

  delete(caller: Caller): boolean {
    return this.#callers.admits(caller) && this.#core.delete()
  }

  /** A ticket for one socket. */
  issueTicket(caller: Caller): Issued | Missing {
    if (this.head(caller).kind === "missing") return ABSENT
    const secret = base64url(crypto.getRandomValues(new Uint8Array(TICKET_BYTES)))
    const ticket = this.#callers.issueTicket(caller, secret)
    return ticket === undefined ? { kind: "full" } : { kind: "issued", ...ticket }
  }

  /** Puts callers out, live sockets included. */
  revoke(revocation: Revocation, caller: Caller): Missing | { readonly kind: "revoked" | "full" } {
    if (this.head(caller).kind === "missing") return ABSENT
    return { kind: this.#callers.revoke(revocation) ? "revoked" : "full" }
  }

  /**
   * Opens a socket at the offset of the request's query. Whatever is wrong with it, the socket is closed
   * saying so.
   */
  override fetch(request: Request): Response {
    const caller = this.#callers.enter(claimOf(request))
    if (caller === undefined)
      return closedSocket(CLOSE.unauthorized, "The ticket or token is wrong, used or late.")
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    markSocket(server, caller)
    this.#core.connect(readerOf(server), new URL(request.url).searchParams.get("offset") ?? "")
    return upgraded(client)
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const reader = readerOf(socket)
    const ask = this.#callers.hears(reader) ? this.#core.asked(reader, data) : undefined
    if (ask !== undefined) await this.#queue.append(ask)
  }

  override webSocketClose(socket: WebSocket): void {
    readerOf(socket).close(CLOSE.done, "")
  }

  /**
   * What is due by itself. What fails is tried again by an alarm of our own: the platform would try a few times
   * and then never again.
   */
  override async alarm(): Promise<void> {
    try {
      await this.#sealer?.run()
    } catch (error) {
      log("sealing failed", { object: this.ctx.id.toString(), error: String(error) })
      this.#core.seals.postpone()
    } finally {
      this.#alarm.ring()
    }
  }
}

/** What becomes of the wish for a ticket. */
export type Issued = ({ readonly kind: "issued" } & Ticket) | { readonly kind: "full" }

const ABSENT: Missing = { kind: "missing" }

/** Nobody guesses one of so many. */
const TICKET_BYTES = 32

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")
}

/** A Durable Object binds buffers, not views of a part of one. */
function bindable(value: SqlValue): SqlStorageValue {
  if (!(value instanceof Uint8Array)) return value
  const isWhole = value.byteLength === value.buffer.byteLength
  return (isWhole ? value.buffer : value.slice().buffer) as ArrayBuffer // nothing here is shared between threads
}
