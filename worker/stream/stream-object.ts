import { DurableObject } from "cloudflare:workers"
import type { AppendClaim } from "../../shared/append.ts"
import { MISSING, type Reply } from "../../shared/append-reply.ts"
import { good } from "../../shared/decoded.ts"
import { CLOSE, PING, PONG } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Caller } from "../access/caller.ts"
import { claimOf } from "../access/claim-header.ts"
import { now } from "../clock.ts"
import { boundsFor } from "../configuration.ts"
import type { Env } from "../env.ts"
import { RareLog } from "../limits/rare-log.ts"
import { type Facts, factsOf, log } from "../log.ts"
import { Meter } from "../meter/meter.ts"
import type { MeterReport } from "../meter/meter-report.ts"
import { R2Store, sha256 } from "../segments/r2-store.ts"
import { Sealer } from "../segments/sealer.ts"
import { httpBody } from "./append-body.ts"
import { AppendIntake } from "./append-intake.ts"
import { bindable } from "./bindable.ts"
import { Callers } from "./callers.ts"
import type { CreateClaim, CreateFault, CreateOutcome } from "./create.ts"
import type { ForkAsk, ForkClaim, ForkGrant, ForkPoint } from "./fork-claim.ts"
import type { ForkId, ForkRecord } from "./fork-record.ts"
import { Forking } from "./forking.ts"
import { Interested } from "./interested.ts"
import type { Revocation } from "./revocations.ts"
import { alarmTime, SharedAlarm } from "./shared-alarm.ts"
import { closedSocket, fullAnswer, upgraded } from "./socket-answer.ts"
import { isOpen, markSocket, readerOf } from "./socket-reader.ts"
import { StreamCore } from "./stream-core.ts"
import type { SqlValue } from "./stream-host.ts"
import { ABSENT, type Absent } from "./stream-life.ts"
import type { TermsChange } from "./stream-management.ts"
import type { Inherited, Page, ReadAsk, ReadFault, Sealed, SegmentList } from "./stream-reads.ts"
import type { StreamState } from "./stream-record.ts"
import { type Issued, newSecret } from "./tickets.ts"

/**
 * One stream's Durable Object: it lends its storage, clock, sockets and alarm to the core, lets nobody in whose token
 * does not count, and decides nothing.
 */
export class StreamObject extends DurableObject<Env> {
  readonly #core: StreamCore
  readonly #forking: Forking
  readonly #intake: AppendIntake
  readonly #sealer: Sealer | undefined
  readonly #callers: Callers
  readonly #alarm: SharedAlarm
  readonly #bounds: Bounds
  readonly #meter = new Meter(now())
  readonly #refusals: RareLog
  readonly #facts: Facts
  readonly #interested: Interested

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    this.#bounds = boundsFor(env)
    this.#refusals = new RareLog(this.#bounds.logRepeatMsInterval)
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, PONG))
    this.#facts = factsOf(state.id)
    this.#alarm = new SharedAlarm((at) => {
      void storage.setAlarm(at)
      this.#meter.count("rowsWritten", 1) // as the platform bills it
    })
    const host = {
      name: state.id.toString(),
      bounds: this.#bounds,
      seals: env.SEGMENTS !== undefined,
      now,
      exec: (sql: string, ...values: SqlValue[]) =>
        this.#meter.statement(storage.sql.exec(sql, ...values.map(bindable))),
      transact: <T>(work: () => T) => storage.transactionSync(work),
      wakeAt: (at: Millis) => this.#alarm.wakeAt(alarmTime(at, now())),
      letGo: (fork: ForkRecord) => this.#forking.letGo(fork),
      changed: () => this.#interested.changed(),
    }
    this.#callers = new Callers({ ...host, sockets: () => state.getWebSockets().map(readerOf) })
    this.#core = new StreamCore({ ...host, readers: () => this.#callers.listeners() }, this.#meter)
    this.#forking = new Forking({
      forks: this.#core.forks,
      peer: (path) => env.STREAMS.getByName(path),
      newId: () => crypto.randomUUID() as ForkId, // the one place that makes them
    })
    this.#intake = new AppendIntake({
      ...host,
      meter: this.#meter,
      appendAll: (asks) => this.#core.appendAll(asks),
      flushed: () => storage.sync(),
      refused: (message) => this.#refused(message),
      failed: (error) => log("append failed", { ...this.#facts, error: String(error) }),
    })
    const store = env.SEGMENTS && new R2Store(env.SEGMENTS)
    this.#sealer = store && new Sealer({ seals: this.#core.seals, store, digest: sha256 })
    this.#interested = new Interested(env, {
      ...host,
      path: () => state.id.name,
      state: () => this.#core.head(),
      failed: (error) => log("not listed", { ...this.#facts, error: String(error) }),
    })
    this.#alarm.join(() => this.#callers.expire())
    this.#alarm.join(() => this.#core.expire())
    void state.blockConcurrencyWhile(async () => {
      this.#alarm.restore(((await storage.getAlarm()) ?? undefined) as Millis | undefined) // set from one
    })
  }

  create(claim: CreateClaim, body: Uint8Array<ArrayBuffer>, caller: Caller): CreateOutcome | Absent {
    return this.#admits(caller, body.length) ? this.#core.create(claim, httpBody(body)) : ABSENT
  }

  async append(claim: AppendClaim, body: Uint8Array<ArrayBuffer>, caller: Caller): Promise<Reply> {
    if (!this.#admits(caller, body.length)) return MISSING
    const isAdmitted = () => this.#callers.admits(caller)
    return this.#intake.append({ claim: good(claim), body: httpBody(body), isAdmitted })
  }

  read(ask: ReadAsk, caller: Caller): Page | Sealed | Inherited | ReadFault {
    return this.#admits(caller) ? this.#core.read(ask) : ABSENT
  }

  segments(caller: Caller): SegmentList | Absent {
    return this.#admits(caller) ? this.#core.reads.segments() : ABSENT
  }

  head(caller: Caller): StreamState | Absent {
    return this.#admits(caller) ? this.#core.head() : ABSENT
  }

  async delete(caller: Caller): Promise<{ readonly kind: "done" } | Absent> {
    if (!this.#admits(caller)) return ABSENT
    const outcome = this.#core.delete()
    await this.#forking.told() // so that whoever deletes a fork, and then its source, finds the source gone
    return outcome
  }

  /** What `fork` would come to, if that does not depend on the source. */
  existingFork(claim: ForkClaim, caller: Caller): CreateOutcome | Absent | undefined {
    return this.#admits(caller) ? this.#core.forks.existing(claim) : ABSENT
  }

  /** Makes this stream, whose path is `path`, a fork. */
  async fork(
    path: string,
    claim: ForkClaim,
    point: ForkPoint,
    body: Uint8Array<ArrayBuffer>,
    caller: Caller,
  ): Promise<CreateOutcome | Absent> {
    if (!this.#admits(caller, body.length)) return ABSENT
    return this.#forking.create(path, claim, point, httpBody(body))
  }

  /** For a fork: stores a reference to it. */
  grantFork(ask: ForkAsk): ForkGrant | CreateFault {
    this.#requested()
    return this.#core.forks.grant(ask)
  }

  /** For a fork: it is no more. */
  dropFork(id: ForkId): void {
    this.#requested()
    this.#core.forks.drop(id)
  }

  /** For the source of a fork: whether it is there, or may be soon. */
  holdsFork(id: ForkId): boolean {
    this.#requested()
    return this.#forking.holds(id)
  }

  /** For the readers of a fork, whom the fork has admitted: what it inherits from this stream. */
  readPart(from: Offset, until: Offset, bytesMax: number): Page | Sealed | ReadFault {
    this.#requested()
    return this.#core.reads.readPart(from, until, bytesMax)
  }

  /** For views: what `read` answers. It is no use of the stream, whose time goes on. */
  readForView(ask: ReadAsk): Page | Sealed | Inherited | ReadFault {
    this.#requested()
    return this.#core.read({ ...ask, isQuiet: true })
  }

  /** For a view: from now on it is told that this stream, which it calls `path`, has changed. */
  watch(name: string, path: string): void {
    this.#requested()
    this.#interested.watch(name, path)
  }

  /** Changes how much of the stream is kept, and what it may cost. */
  change(change: TermsChange, caller: Caller): { readonly kind: "done" } | Absent {
    return this.#admits(caller) ? this.#core.management.change(change) : ABSENT
  }

  /** What the stream's use has come to. */
  meter(caller: Caller): MeterReport | Absent {
    if (!this.#admits(caller)) return ABSENT
    return this.#core.management.meter(this.ctx.storage.sql.databaseSize)
  }

  /** Who created the stream, where the edge knows its callers; undefined when there is none. */
  creator(): string | undefined {
    this.#requested()
    return this.#core.management.creator()
  }

  issueTicket(caller: Caller): Issued | Absent {
    const state = this.head(caller)
    if (state.kind !== "stream") return state
    const ticket = this.#callers.issueTicket(caller, newSecret())
    return ticket === undefined ? { kind: "full" } : { kind: "issued", ...ticket }
  }

  /** Puts callers out, live sockets included. */
  revoke(revocation: Revocation, caller: Caller): Absent | { readonly kind: "revoked" | "full" } {
    const state = this.head(caller)
    if (state.kind !== "stream") return state
    return { kind: this.#callers.revoke(revocation) ? "revoked" : "full" }
  }

  /**
   * Opens a socket at the offset of the request's query. Whatever is wrong with it, the socket is closed
   * saying so. A feed of the edge's own is told in a status that there is no room.
   */
  override fetch(request: Request): Response {
    this.#requested()
    const caller = this.#callers.enter(claimOf(request))
    if (caller === undefined)
      return closedSocket(CLOSE.unauthorized, "The ticket or token is wrong, used or late.")
    const { searchParams } = new URL(request.url)
    if (this.ctx.getWebSockets().length >= this.#bounds.socketsMax) {
      this.#refused("stream full")
      return fullAnswer(searchParams.get("live") === "feed", this.#bounds)
    }
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    markSocket(server, caller)
    this.#core.connect(readerOf(server), searchParams.get("offset") ?? "")
    return upgraded(client)
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    this.#meter.passTo(now())
    this.#meter.count("framesIn", 1)
    if (!isOpen(socket)) return // it was told to go, and what it sent meanwhile is meant for another log
    const reader = readerOf(socket)
    const ask = this.#callers.hears(reader) ? this.#core.asked(reader, data) : undefined
    if (ask === undefined) return
    this.#meter.count("bytesIn", ask.body.bytes)
    const isAdmitted = () => isOpen(socket) && this.#callers.admits(reader.caller)
    await this.#intake.appendFrame({ ...ask, isAdmitted })
  }

  override webSocketClose(socket: WebSocket, _code: number, _reason: string, wasClean: boolean): void {
    readerOf(socket).close(wasClean ? CLOSE.done : CLOSE.lost, "") // where only half is lost, this is still heard
    this.#core.left()
  }

  override webSocketError(): void {
    this.#core.left()
  }

  /**
   * What is due by itself. What fails is tried again by an alarm of our own: the platform would try a few times
   * and then never again.
   */
  override async alarm(): Promise<void> {
    this.#requested()
    try {
      await this.#sealer?.run()
    } catch (error) {
      log("upkeep failed", { ...this.#facts, error: String(error) })
      this.#core.seals.postpone()
    } finally {
      this.#alarm.ring()
    }
    await this.#forking.look()
    await this.#interested.tellDirectory()
  }

  /** Counts a request, and says whether its caller's token counts here and now. */
  #admits(caller: Caller, bytesIn = 0): boolean {
    this.#requested(bytesIn)
    return this.#callers.admits(caller)
  }

  #requested(bytesIn = 0): void {
    this.#meter.passTo(now())
    this.#meter.count("requests", 1)
    this.#meter.count("bytesIn", bytesIn)
    this.#interested.lookOnce()
  }

  #refused(message: string): void {
    this.#refusals.say(message, this.#facts, now())
  }
}
