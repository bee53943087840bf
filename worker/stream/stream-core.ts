import {
  type AppendClaim,
  type AppendVerdict,
  judge,
  type RawBody,
  type StreamFacts,
} from "../../shared/append.ts"
import { claimOfFrame } from "../../shared/append-claim.ts"
import { type AppendOutcome, MISSING, replyTo } from "../../shared/append-reply.ts"
import {
  CLOSE,
  decodeClientFrame,
  encodeEdgeFrame,
  type FrameBody,
  type FrameData,
} from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { endOf, isUseWorthNoting } from "../../shared/lifetime.ts"
import { LIMITS } from "../../shared/limits.ts"
import { issueOffset, type Offset } from "../../shared/offset.ts"
import { mayAppend, principalOf } from "../access/caller.ts"
import { frameBody } from "./append-body.ts"
import { beginningOf, type CreateClaim, type CreateFault, conflictWith } from "./create.ts"
import { locate } from "./locate.ts"
import { bytesFrom, readForFrame, readForHttp } from "./log-pages.ts"
import type { Reader, StreamHost } from "./stream-host.ts"
import { StreamLog, type StreamRecord } from "./stream-log.ts"

export type StreamState = { readonly kind: "stream"; readonly stream: StreamRecord; readonly tail: Offset }

export type Missing = { readonly kind: "missing" }

export type CreateOutcome = (StreamState & { readonly isNew: boolean }) | CreateFault

/** Why there is nothing to read at an offset. */
export type ReadFault =
  | Missing
  | { readonly kind: "gone" }
  | { readonly kind: "malformed"; readonly reason: string }

/** Everything between two offsets, as far as one answer carries it. */
export type Page = {
  readonly kind: "page"
  readonly contentType: string
  readonly from: Offset
  readonly next: Offset
  /** It ends at the tail. */
  readonly upToDate: boolean
  /** It ends at the tail of a closed stream: nothing will follow. */
  readonly closed: boolean
  /** What HTTP carries: a JSON array in UTF-8, or bytes. */
  readonly body: Uint8Array<ArrayBuffer>
}

/** What readers are told of an append. `isLast` when nothing will follow. */
type News = { readonly frame: FrameBody; readonly isLast: boolean }

type Appended = AppendOutcome & { readonly news?: News }

/**
 * One stream: what it answers, what it stores and whom it tells. Every method is one turn: it decides and
 * writes without waiting for anything, so turns follow each other as the host calls them, and after each of
 * them every open socket has been sent everything up to the tail.
 *
 * Nothing in memory outlives a turn, so it may be thrown away and made anew between any two of them.
 */
export class StreamCore {
  readonly #host: StreamHost
  readonly #log: StreamLog

  constructor(host: StreamHost) {
    this.#host = host
    this.#log = new StreamLog(host)
  }

  /** Makes the stream, or finds that it is there already with the same properties. */
  create(claim: CreateClaim, body: RawBody): CreateOutcome {
    const existing = this.#find()
    if (existing !== undefined) {
      return conflictWith(existing, claim) ?? { ...stateOf(existing), isNew: false }
    }
    const beginning = beginningOf(claim, body)
    if (beginning.kind !== "beginning") return beginning
    const stream = this.#host.transact(() => {
      const empty = this.#log.create(claim, this.#host.now())
      return beginning.body === undefined ? empty : this.#log.append(empty, beginning.body)
    })
    this.#wakeAtEnd(stream)
    return { ...stateOf(stream), isNew: true }
  }

  /** What the stream is. Asking is no use of it. */
  head(): StreamState | Missing {
    const stream = this.#find()
    return stream === undefined ? { kind: "missing" } : stateOf(stream)
  }

  /** Removes the stream and everything in it. False when there is none. */
  delete(): boolean {
    const stream = this.#find()
    if (stream !== undefined) this.#remove()
    return stream !== undefined
  }

  /** One page from an offset on. */
  read(offset: string): Page | ReadFault {
    const found = this.#locate(offset)
    if (found.kind !== "place") return found
    const { stream } = found
    const { next, body } = readForHttp(this.#host, { ...found, bytesMax: LIMITS.readBytesMax })
    return { kind: "page", contentType: stream.contentType, ...marksOf(stream, found.position, next), body }
  }

  /** Judges an append by the one rule, stores it and tells every reader. */
  append(claim: AppendClaim, body: RawBody): AppendOutcome {
    const { news: _, ...outcome } = this.#append(() => claim, body, undefined)
    return outcome
  }

  /**
   * Sends a new socket everything it lacks, or closes it saying why not. From then on it hears of every
   * append.
   */
  connect(reader: Reader, offset: string): void {
    const found = this.#locate(offset)
    if (found.kind === "missing") return reader.close(CLOSE.missing, "There is no such stream.")
    if (found.kind !== "place")
      return reader.close(CLOSE.gone, "The offset is not a place in this stream's history.")
    const { stream, position } = found
    const bytesMax = LIMITS.socketCatchUpBytesMax
    if (bytesFrom(this.#host, stream, position) > bytesMax) {
      reader.send(encodeEdgeFrame({ t: "behind", next: offsetIn(stream, position) }))
      return reader.close(CLOSE.behind, "More is missing than a socket carries: catch up with GET.")
    }
    const { next, body } = readForFrame(this.#host, { ...found, bytesMax })
    const marks = marksOf(stream, position, next)
    const t = next === position ? "control" : "data"
    tell(reader, { frame: encodeEdgeFrame({ t, ...marks, body }), isLast: marks.closed })
  }

  /** Takes one frame from a socket. Whoever can be answered is; any other frame ends the socket. */
  receive(reader: Reader, data: FrameData): void {
    const frame = decodeClientFrame(data)
    if (!frame.ok) return reader.close(CLOSE.malformed, frame.reason)
    const { id, fields, body } = frame.value
    const { reply, from, news } = this.#appendFrame(fields, body, reader)
    reader.send(encodeEdgeFrame({ t: "reply", id, ...reply, ...(from !== undefined && { from }) }))
    if (news === undefined) return
    if (from === undefined) reader.send(news.frame) // a reply stands for data only
    if (news.isLast) reader.close(CLOSE.done, "The stream is closed.")
  }

  /**
   * Ends the stream if its time has come, else asks to be woken again. For when the time of `wakeAt` has
   * come.
   */
  expire(): void {
    const stream = this.#find()
    if (stream !== undefined) this.#wakeAtEnd(stream)
  }

  #appendFrame(fields: Record<string, unknown>, body: FrameBody, reader: Reader): Appended {
    if (!mayAppend(reader.caller)) return { reply: MISSING }
    const claim = claimOfFrame(fields, principalOf(reader.caller))
    if (!claim.ok) return { reply: { status: 400, headers: {}, message: claim.reason } }
    const { contentType, ...rest } = claim.value
    const withType = (stream: StreamRecord) => ({ ...rest, contentType: contentType ?? stream.contentType })
    return this.#append(withType, frameBody(body), reader)
  }

  #append(
    claimFor: (stream: StreamRecord) => AppendClaim,
    body: RawBody,
    origin: Reader | undefined,
  ): Appended {
    const before = this.#find()
    if (before === undefined) return { reply: MISSING }
    const claim = claimFor(before)
    const facts = this.#facts(before, claim)
    const verdict = judge(facts, claim, body)
    const after = this.#carryOut(verdict, before, claim)
    const reply = replyTo(verdict, claim, {
      ...facts,
      closed: after.closed,
      tail: offsetIn(after, after.tail),
    })
    const news = newsOf(verdict, before, after)
    if (news === undefined) return { reply }
    for (const reader of this.#host.readers()) if (reader !== origin) tell(reader, news)
    return { reply, news, ...(verdict.kind === "store" && { from: facts.tail }) }
  }

  #facts(stream: StreamRecord, { producer }: AppendClaim): StreamFacts {
    const known = producer && this.#log.producer(producer.id)
    return {
      contentType: stream.contentType,
      closed: stream.closed,
      tail: offsetIn(stream, stream.tail),
      streamSeq: stream.streamSeq,
      producer: known && { epoch: known.epoch, seq: known.seq, next: offsetIn(stream, known.next) },
    }
  }

  /** Batch, producer's mark and all else that a verdict changes, in one transaction. Answers what the stream is now. */
  #carryOut(verdict: AppendVerdict, before: StreamRecord, claim: AppendClaim): StreamRecord {
    if (verdict.kind === "duplicate") this.#noteUse(before)
    if (before.closed || (verdict.kind !== "store" && verdict.kind !== "close")) return before
    return this.#host.transact(() => {
      this.#noteUse(before)
      const stored = verdict.kind === "store" ? this.#log.append(before, verdict.body) : before
      if (claim.producer !== undefined) this.#log.noteProducer(claim.producer, stored.tail)
      if (claim.streamSeq !== undefined) this.#log.noteStreamSeq(claim.streamSeq)
      return claim.close ? this.#log.close(stored) : stored
    })
  }

  /** The place that a reader asks for. Finding one is a use of the stream. */
  #locate(offset: string): { kind: "place"; stream: StreamRecord; position: number } | ReadFault {
    const stream = this.#find()
    if (stream === undefined) return { kind: "missing" }
    const location = locate(stream, offset)
    if (location.kind !== "place") return location
    this.#noteUse(stream)
    return { ...location, stream }
  }

  /**
   * The stream, unless its time is over: then it goes, now that somebody asks. A stream with sockets is in
   * use.
   */
  #find(): StreamRecord | undefined {
    const stream = this.#log.find()
    const end = stream && endOf(stream.lifetime, stream.usedAt)
    if (stream === undefined || end === undefined || this.#host.now() <= end) return stream
    if (stream.lifetime.kind === "idle" && this.#hasReaders()) {
      this.#noteUse(stream)
      return { ...stream, usedAt: this.#host.now() }
    }
    this.#remove()
    return undefined
  }

  #hasReaders(): boolean {
    for (const _ of this.#host.readers()) return true
    return false
  }

  #noteUse({ lifetime, usedAt }: StreamRecord): void {
    const now = this.#host.now()
    if (isUseWorthNoting(lifetime, usedAt, now)) this.#log.noteUse(now)
  }

  #remove(): void {
    this.#host.transact(() => this.#log.remove())
    for (const reader of this.#host.readers()) reader.close(CLOSE.gone, "The stream was deleted.")
  }

  #wakeAtEnd(stream: StreamRecord): void {
    const end = endOf(stream.lifetime, stream.usedAt)
    if (end !== undefined) this.#host.wakeAt((end + 1) as Millis) // the first moment after a time is a time
  }
}

function stateOf(stream: StreamRecord): StreamState {
  return { kind: "stream", stream, tail: offsetIn(stream, stream.tail) }
}

function offsetIn({ generation }: StreamRecord, position: number): Offset {
  return issueOffset({ generation, position })
}

/** Where a page lies, and whether it ends at the tail. */
function marksOf(stream: StreamRecord, position: number, end: number) {
  const upToDate = end === stream.tail
  const [from, next] = [offsetIn(stream, position), offsetIn(stream, end)]
  return { from, next, upToDate, closed: upToDate && stream.closed }
}

function newsOf(verdict: AppendVerdict, before: StreamRecord, after: StreamRecord): News | undefined {
  const isLast = after.closed && !before.closed
  const next = offsetIn(after, after.tail)
  const marks = { next, upToDate: true, closed: isLast }
  if (verdict.kind === "store") {
    const from = offsetIn(before, before.tail)
    return { frame: encodeEdgeFrame({ t: "data", from, ...marks, body: verdict.body.data }), isLast }
  }
  return isLast ? { frame: encodeEdgeFrame({ t: "control", ...marks }), isLast } : undefined
}

function tell(reader: Reader, { frame, isLast }: News): void {
  reader.send(frame)
  if (isLast) reader.close(CLOSE.done, "The stream is closed.")
}
