import { DurableObject } from "cloudflare:workers"
import type { AppendClaim } from "../../shared/append.ts"
import { type AppendOutcome, MISSING } from "../../shared/append-reply.ts"
import { CLOSE, PING, PONG } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Caller } from "../access/caller.ts"
import { claimOf } from "../access/claim-header.ts"
import type { Env } from "../env.ts"
import { httpBody } from "./append-body.ts"
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
  readonly #callers: Callers
  readonly #alarm: SharedAlarm

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    this.#alarm = new SharedAlarm((at) => void storage.setAlarm(at))
    const host = {
      now: () => Date.now() as Millis, // what Date.now counts is what Millis means
      exec: (sql: string, ...values: SqlValue[]) => storage.sql.exec(sql, ...values.map(bindable)),
      transact: <T>(work: () => T) => storage.transactionSync(work),
      wakeAt: (at: Millis) => this.#alarm.wakeAt(at),
    }
    this.#callers = new Callers({ ...host, sockets: () => state.getWebSockets().map(readerOf) })
    this.#core = new StreamCore({ ...host, readers: () => this.#callers.listeners() })
    this.#alarm.join(() => this.#callers.expire())
    this.#alarm.join(() => this.#core.expire())
    void state.blockConcurrencyWhile(async () => {
      this.#alarm.restore(((await storage.getAlarm()) ?? undefined) as Millis | undefined) // set from one
    })
  }

  create(claim: CreateClaim, body: Uint8Array<ArrayBuffer>, caller: Caller): CreateOutcome | Missing {
    return this.#callers.admits(caller) ? this.#core.create(claim, httpBody(body)) : ABSENT
  }

  append(claim: AppendClaim, body: Uint8Array<ArrayBuffer>, caller: Caller): AppendOutcome {
    return this.#callers.admits(caller) ? this.#core.append(claim, httpBody(body)) : { reply: MISSING }
  }

  read(offset: string, caller: Caller): Page | ReadFault {
    return this.#callers.admits(caller) ? this.#core.read(offset) : ABSENT
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

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    const reader = readerOf(socket)
    if (this.#callers.hears(reader)) this.#core.receive(reader, data)
  }

  override webSocketClose(socket: WebSocket): void {
    readerOf(socket).close(CLOSE.done, "")
  }

  override alarm(): void {
    this.#alarm.ring()
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
