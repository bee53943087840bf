import { unreachable } from "../../shared/assert.ts"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import type { StopReason } from "../../shared/connection.ts"
import type { ErrorData } from "../../shared/errors.ts"
import type { AppendReply } from "../../shared/frames.ts"
import type { ProducerId } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { isAfter, type Offset } from "../../shared/offset.ts"
import {
  beginEpoch,
  type FrozenBatch,
  freeze,
  giveUp,
  halve,
  type OutboxKey,
  renumber,
} from "../../shared/outbox.ts"
import { meaningOf } from "../../shared/reply-meaning.ts"
import type { Host } from "../host.ts"
import type { Replica } from "../replica/replica.ts"
import { type Failed, failed } from "./edge-requests.ts"
import type { LiveSocket } from "./live-socket.ts"
import type { LogWriter } from "./log-writer.ts"

export interface SenderListener {
  /** The reply tells where the batch in flight now stands in the log: it is a page that need not be sent back. */
  took(page: Page): void
  unsaved(reason: unknown): void
  /** The edge has refused these entries for good, each by itself. */
  rejected(entries: readonly { readonly key: OutboxKey }[], error: ErrorData): void
  /** The stream takes nothing more from this device. */
  refused(reason: StopReason, error: ErrorData): void
  /** The edge takes nothing from this device for now; the batch goes out again by itself. */
  throttled(error: ErrorData): void
  lost(failed: Failed): void
}

type SenderHost = Pick<Host, "after" | "chance" | "newId">

const BOUNDS = { eventsMax: COMMON_LIMITS.batchEventsMax, bytesMax: COMMON_LIMITS.batchBytesMax }
const AS_MANY_AS_FIT = Number.POSITIVE_INFINITY

/**
 * Brings this device's events of one stream to the edge: one batch at a time, numbered on disk before it is first
 * sent, the same bytes each time until the log shows it.
 */
export class Sender {
  readonly #host: SenderHost
  readonly #replica: Replica
  readonly #writer: LogWriter
  readonly #listener: SenderListener
  #socket: LiveSocket | undefined
  /** The batch that the disk knows by its number: it may be sent. */
  #numbered: FrozenBatch | null
  /** The batch whose number is on its way to the disk. */
  #numbering: FrozenBatch | null = null
  /** The batch that the open socket was given. */
  #sent: FrozenBatch | null = null
  /** Its messages as they were given: others may have appended some of them since. */
  #given: Pick<Page, "text" | "messages"> = { text: "", messages: [] }
  /** Ends the wait before the batch that was given is given again. */
  #stopWaiting: () => void = () => {}
  /** Whether the numbers that are given next are of an epoch that this sender has begun. */
  #hasEpoch = false
  /** The batch that the edge has asked to wait with. */
  #heldBack: FrozenBatch | null = null
  /** How many entries the next batch has at most: less, for a while, where some were refused. */
  #entriesMax = AS_MANY_AS_FIT

  constructor(host: SenderHost, replica: Replica, writer: LogWriter, listener: SenderListener) {
    this.#host = host
    this.#replica = replica
    this.#writer = writer
    this.#listener = listener
    this.#numbered = replica.position.inFlight // it comes from the disk
  }

  get isUnderWay(): boolean {
    return this.#replica.position.inFlight !== null
  }

  /** The edge has asked to wait with the batch in flight. */
  get isHeldBack(): boolean {
    return this.#heldBack !== null && this.#heldBack === this.#replica.position.inFlight
  }

  /** A socket is open, and everything before now has been read from it. */
  connected(socket: LiveSocket): void {
    this.#socket = socket
    this.pump()
  }

  disconnected(): void {
    this.#socket = undefined
    this.#sent = null
    this.#heldBack = null
    this.#stopWaiting()
  }

  /** Takes the next step towards the edge, if one can be taken now. */
  pump(): void {
    if (this.#socket === undefined) return
    this.#freeze()
    const batch = this.#replica.position.inFlight
    if (batch === null || batch === this.#sent) return
    if (batch !== this.#numbered) return this.#number(batch)
    this.#sent = batch
    this.#given = { text: this.#replica.inFlightText(), messages: this.#replica.inFlightMessages() }
    this.#socket.append(batch, this.#given.text, this.#replica.expectedInFlight())
  }

  /** Whoever led before may have given numbers of its epoch that this disk does not know; a copy of it may still. */
  #freeze(): void {
    const { position } = this.#replica
    if (position.inFlight !== null || this.#replica.waiting().next().done) return
    const begun = this.#hasEpoch ? position : beginEpoch(position, this.#host.chance(), this.#freshProducer())
    this.#hasEpoch = true
    const bounds = { ...BOUNDS, entriesMax: this.#entriesMax }
    this.#replica.producedAt(freeze(begun, this.#replica.waiting(), bounds))
  }

  #freshProducer(): ProducerId {
    return this.#host.newId() as ProducerId // made here, for this
  }

  /** The edge has judged the batch that was sent on this socket. */
  replied(reply: AppendReply): void {
    const batch = this.#sent
    if (batch === null || reply.id !== batch.seq || batch !== this.#replica.position.inFlight) return
    const meaning = meaningOf(reply, this.#replica.expectedInFlight())
    switch (meaning.kind) {
      case "stored":
        this.#entriesMax *= 2
        return this.#listener.took({ from: meaning.from, next: meaning.next, ...this.#given })
      case "taken":
        return this.#wasTaken(meaning.next)
      case "number":
        return this.#renumber()
      case "wait":
        return this.#wait(batch, meaning.waitMs ?? COMMON_LIMITS.retryMsMax, meaning.error)
      case "batch":
        return this.#refused(batch, meaning.error)
      case "stream":
        return this.#listener.refused(meaning.reason, meaning.error)
      case "lost":
        return this.#listener.lost(failed("unreachable", meaning.error.message, meaning.leastMs))
      default:
        return unreachable(meaning)
    }
  }

  /** The entries of the batch in flight are not to be sent any more. */
  giveUp(): void {
    this.#hasEpoch = true
    this.#replica.producedAt(giveUp(this.#replica.position, this.#host.chance(), this.#freshProducer()))
  }

  /**
   * The edge says that it took this batch before. The log confirms it or nobody does: a place that was not read yet is
   * read; where the log up to the reply does not hold the batch, it was another one under the same number.
   */
  #wasTaken(place: Offset | undefined): void {
    if (place === undefined || !isAfter(place, this.#replica.head)) return this.#renumber()
    this.#listener.lost(failed("unreachable", `The batch stands before ${place}, which was not told.`))
  }

  /** Looks for the entry that is refused by itself, while others go through. */
  #refused({ keys }: FrozenBatch, error: ErrorData): void {
    if (this.#replica.inFlightCount < keys.length) {
      this.giveUp() // what is left of it is another batch
    } else if (keys.length === 1) {
      this.giveUp()
      this.#listener.rejected(
        keys.map((key) => ({ key })),
        error,
      )
    } else {
      this.#hasEpoch = true
      this.#entriesMax = Math.ceil(keys.length / 2)
      const fresh = this.#freshProducer()
      this.#replica.producedAt(halve(this.#replica.position, this.#host.chance(), fresh))
    }
    this.pump()
  }

  /** What others append is told meanwhile: a socket that was given up would only add to what is too much. */
  #wait(batch: FrozenBatch, waitMs: number, { code, message }: ErrorData): void {
    this.#stopWaiting()
    this.#heldBack = batch
    this.#stopWaiting = this.#host.after(waitMs, () => {
      this.#heldBack = null
      if (this.#sent !== batch) return // it was read back, and the next one is on its way
      this.#sent = null
      this.pump()
    })
    this.#listener.throttled({ code, message: `${message} Sent again after ${waitMs / 1_000} s.` })
  }

  /**
   * The number will not be stored, and the log up to here does not hold the batch, or it would not be in flight: the
   * socket has told everything that was before its reply.
   */
  #renumber(): void {
    this.#hasEpoch = true
    this.#replica.producedAt(renumber(this.#replica.position, this.#freshProducer()))
    this.pump()
  }

  /** Nothing is sent under a number that a crash could make this device forget. */
  #number(batch: FrozenBatch): void {
    if (batch === this.#numbering) return
    this.#numbering = batch
    const onDisk = () => {
      this.#numbering = null
      this.#numbered = batch
      this.pump()
    }
    this.#writer.froze()
    this.#writer.flush().then(onDisk, (reason: unknown) => {
      this.#numbering = null
      this.#listener.unsaved(reason)
    })
  }
}
