import { unreachable } from "../../shared/assert.ts"
import {
  type ConnectionEffect,
  type ConnectionInput,
  type ConnectionState,
  type StopReason,
  step,
} from "../../shared/connection.ts"
import { type ErrorData, HeadwaterError } from "../../shared/errors.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { Host } from "../host.ts"
import { keysOf, type PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import type { EdgeStream } from "./edge.ts"
import { type Failed, type Failure, failed } from "./edge-requests.ts"
import { CLOSED, DELETED, whyGone } from "./inquiry.ts"
import { LiveSocket, type SocketEnd } from "./live-socket.ts"
import type { LogWriter } from "./log-writer.ts"
import { Refusals } from "./refusals.ts"
import { Sender } from "./sender.ts"
import { StallWatch } from "./stall-watch.ts"
import { TailLook } from "./tail-look.ts"
import type { WayToEdge } from "./way-to-edge.ts"

/** What a sync tells its engine. */
export interface SyncListener {
  /** The state, the last error or the number of pending events is another. */
  changed(): void
  /** The disk has more of the log than before. */
  saved(): void
  /** The disk does not take what this leader has learnt; deposed, or out of order. */
  unsaved(reason: unknown): void
  /** The edge takes nothing of this stream from this device; what waits stays. */
  stopped(error: ErrorData): void
}

export type SyncParts = {
  readonly host: Host
  readonly edge: EdgeStream
  readonly replica: Replica
  readonly writer: LogWriter
  readonly way: WayToEdge
}

/**
 * Keeps one stream of this device in step with the edge, for as long as this tab leads. What to do next is decided by
 * the connection's state machine; this does it, and says how it went.
 */
export class StreamSync {
  readonly #host: Host
  readonly #edge: EdgeStream
  readonly #replica: Replica
  readonly #writer: LogWriter
  readonly #listener: SyncListener
  readonly #sender: Sender
  readonly #refusals: Refusals
  readonly #way: WayToEdge
  readonly #stall: StallWatch
  readonly #tail: TailLook
  #state: ConnectionState = { kind: "idle" }
  #lastError: ErrorData | undefined
  /** Settles when the page that was last read is written, or could not be. */
  #written: Promise<void> = Promise.resolve()
  /** Ends the request, the socket or the timer that the state has begun. */
  #letGo: () => void = () => {}

  constructor({ host, edge, replica, writer, way }: SyncParts, listener: SyncListener) {
    this.#host = host
    this.#edge = edge
    this.#replica = replica
    this.#writer = writer
    this.#listener = listener
    this.#way = way
    this.#refusals = new Refusals(host, replica, writer, {
      saved: () => listener.saved(),
      unsaved: (reason) => this.#failed(reason),
    })
    this.#sender = new Sender(host, replica, writer, {
      took: (page) => void this.#took(page),
      unsaved: (reason) => this.#failed(reason),
      rejected: (entries, error) => this.#refused(entries, error),
      refused: (reason, error) => this.#refuse(reason, error),
      throttled: (error) => this.#throttled(error),
      lost: (failed) => this.#lose(failed),
    })
    this.#tail = new TailLook(edge, () => listener.changed())
    this.#stall = new StallWatch(host, this.#sender, () => this.#giveUp())
  }

  get state(): ConnectionState {
    return this.#state
  }

  get lastError(): ErrorData | undefined {
    return this.#lastError ?? this.#stall.error
  }

  /** Where the log ends, as far as the edge has said since this began. */
  get tail(): Offset | undefined {
    const { head } = this.#replica
    return this.#state.kind === "live" ? head : this.#tail.behind(head)
  }

  /** Tells the connection what happened outside: `started`, `ended`, `paused`, `resumed` or `woke`. */
  input(input: ConnectionInput): void {
    const [next, ...effects] = step(this.#state, input, {
      now: this.#host.now(),
      chance: this.#host.chance(),
    })
    const isNew = next !== this.#state
    this.#state = next
    if (isNew && next.kind === "live") this.#lastError = undefined
    for (const effect of effects) this.#perform(effect)
    if (!("attempt" in next)) this.#way.left(this)
    if (input.kind === "ended") this.#refusals.end()
    if (next.kind !== "catching-up") this.#tail.end()
    if (isNew) this.#listener.changed()
  }

  /** There are entries on the disk that wait for the edge. A stream that has stopped says again that it takes none. */
  appended(): void {
    if (this.#state.kind !== "stopped") {
      this.#sender.pump()
      this.#stall.loaded()
    } else if (this.#lastError !== undefined) this.#turnAway(this.#state.reason, this.#lastError)
  }

  #perform(effect: ConnectionEffect): void {
    switch (effect.kind) {
      case "let-go":
        this.#letGo()
        this.#letGo = () => {}
        this.#stall.end()
        this.#sender.disconnected()
        return
      case "wake-at":
        this.#letGo = this.#way.wait(this, effect.at, () => this.input({ kind: "woke" }))
        return
      case "open-socket":
        return this.#request((signal) => this.#openSocket(signal))
      case "read-page":
        return this.#request((signal) => this.#readPage(signal))
      case "create-stream":
        return this.#request((signal) => this.#create(signal))
      default:
        return unreachable(effect)
    }
  }

  #request(ask: (signal: AbortSignal) => Promise<void>): void {
    const work = new AbortController()
    this.#letGo = () => work.abort()
    ask(work.signal).catch((reason: unknown) => {
      if (!work.signal.aborted) this.#failed(reason)
    })
  }

  async #readPage(signal: AbortSignal): Promise<void> {
    if (this.#writer.isFull) await this.#writer.flush()
    if (signal.aborted) return
    const answer = await this.#edge.read(this.#replica.head, signal)
    if (signal.aborted) return
    if (answer.kind !== "done") return this.#outcome(answer)
    const { page, upToDate, closed } = answer.value
    if (upToDate) this.#tail.reached(page.next)
    else this.#tail.look()
    const before = this.#written
    this.#written = this.#took(page).catch(() => {}) // `#failed` has been told
    if (!upToDate) await before // one page is written while the next is on its way; more would gather in memory
    if (signal.aborted) return
    if (closed && upToDate) return this.#refuse("closed", CLOSED)
    this.input({ kind: "page-read", upToDate })
  }

  async #create(signal: AbortSignal): Promise<void> {
    const answer = await this.#edge.create(signal)
    if (signal.aborted) return
    if (answer.kind === "done") this.input({ kind: "created" })
    else this.#outcome(answer)
  }

  async #openSocket(signal: AbortSignal): Promise<void> {
    const protocols = await this.#edge.socketProtocols(signal)
    if (signal.aborted) return
    if (protocols.kind !== "done") return this.#outcome(protocols)
    const address = { url: this.#edge.socketUrl(this.#replica.head), protocols: protocols.value }
    const socket = new LiveSocket(this.#host, address, {
      upToDate: () => this.#opened(socket),
      page: (page) => this.#told(page),
      reply: (reply) => this.#sender.replied(reply),
      ended: (end) => this.#ended(end),
    })
    this.#letGo = () => socket.close()
  }

  #opened(socket: LiveSocket): void {
    this.#way.reached()
    this.input({ kind: "opened" })
    this.#sender.connected(socket)
    this.#stall.begin(socket)
  }

  /** What comes faster than the disk takes it is left to the edge, and read as fast as the disk does. */
  #told(page: Page): void {
    void this.#took(page)
    if (this.#writer.isFull) this.input({ kind: "behind" })
  }

  /** Takes in the next page; a page that does not follow is read again from where this device stands. */
  #took(page: Page): Promise<void> {
    const { arrival, confirmed } = this.#replica.take(page)
    if (arrival === "gap") this.#lose(failed("unreachable", `A page after ${page.from} came out of turn.`))
    if (arrival !== "next") return Promise.resolve()
    this.#writer.took(page, keysOf(confirmed))
    this.#sender.pump()
    const saved = this.#writer.flush().then(() => this.#listener.saved())
    saved.catch((reason: unknown) => this.#failed(reason))
    if (confirmed.length > 0) this.#confirmed()
    return saved
  }

  #outcome(outcome: Failure): void {
    if (outcome.kind !== "failed" || outcome.unreached !== true) this.#way.reached()
    switch (outcome.kind) {
      case "missing":
        if (this.#replica.head === START) return this.input({ kind: "missing" })
        return this.#refuse("deleted", DELETED)
      case "gone":
        return this.#request(async (signal) => {
          const why = await whyGone(this.#edge, { replica: this.#replica, writer: this.#writer }, signal)
          if (!signal.aborted) this.#outcome(why)
        })
      case "refused":
        return this.#refuse(outcome.reason, outcome.error)
      case "failed":
        return this.#lose(outcome)
      default:
        return unreachable(outcome)
    }
  }

  #ended(end: SocketEnd): void {
    if (end.kind === "behind") return this.input({ kind: "behind" })
    if (end.kind === "closed") return this.#refuse("closed", CLOSED)
    if (end.kind === "failed" && end.error.code === "unauthorized") this.#edge.socketRefused()
    this.#outcome(end)
  }

  #lose({ error, leastMs, unreached }: Failed): void {
    if (unreached === true) this.#way.notReached(this)
    else this.#way.left(this)
    if (this.#state.kind !== "stopped") this.#lastError = error // else it says why
    this.input({ kind: "lost", leastMs })
  }

  /** The edge answers and takes nothing: another connection may fare better. */
  #giveUp(): void {
    this.#lastError = undefined // the stall is, until something comes of what waits
    this.input({ kind: "lost", hasStalled: true })
  }

  /** The connection stays as it is: only this device's events wait. */
  #throttled(error: ErrorData): void {
    this.#lastError = error
    this.#listener.changed()
  }

  #confirmed(): void {
    this.#stall.progressed()
    if (this.#state.kind === "live") this.#lastError = undefined // it was why the batch in flight waited
    this.#listener.changed()
  }

  #refuse(reason: StopReason, error: ErrorData): void {
    this.#lastError = error
    this.input({ kind: "refused", reason })
    this.#refusals.save()
    this.#turnAway(reason, error)
  }

  /** What waits has nothing to wait for, or stays for better times. */
  #turnAway(reason: StopReason, error: ErrorData): void {
    if (reason !== "closed" && reason !== "deleted") return this.#listener.stopped(error)
    this.#sender.giveUp()
    this.#refused(this.#replica.pending, error)
  }

  #refused(entries: readonly Pick<PendingEntry, "key">[], error: ErrorData): void {
    this.#stall.progressed()
    this.#refusals.refuse(entries, error)
  }

  /** The disk did not take it. The connection rests, so that memory does not fill with what cannot be written. */
  #failed(reason: unknown): void {
    const code = reason instanceof HeadwaterError ? reason.code : "storage-unavailable"
    this.#lose(failed(code, reason instanceof Error ? reason.message : String(reason)))
    this.#listener.unsaved(reason)
  }
}
