import type { AppendClaim, RawBody } from "../../shared/append.ts"
import { claimOfFrame } from "../../shared/append-claim.ts"
import { MISSING, type Reply } from "../../shared/append-reply.ts"
import { assert } from "../../shared/assert.ts"
import { extendChain } from "../../shared/chain.ts"
import { bad, good } from "../../shared/decoded.ts"
import { utf8Length } from "../../shared/events.ts"
import { CLOSE, decodeClientFrame, encodeEdgeFrame, type FrameData } from "../../shared/frames.ts"
import type { Offset, Place } from "../../shared/offset.ts"
import { mayAppend, principalOf } from "../access/caller.ts"
import { pauseOf } from "../meter/budget.ts"
import { Meter } from "../meter/meter.ts"
import type { SegmentPart } from "../segments/segment.ts"
import { SegmentIndex } from "../segments/segment-index.ts"
import { StreamSeals } from "../segments/stream-seals.ts"
import { frameBody } from "./append-body.ts"
import { type AppendAsk, AppendTurn, judgeMissing } from "./append-turn.ts"
import { beginningOf, type CreateClaim, type CreateFault, conflictWith } from "./create.ts"
import { answer, tell } from "./fan-out.ts"
import { type LocateFault, locate } from "./locate.ts"
import { bytesFrom, readForFrame, readForHttp } from "./log-pages.ts"
import type { Reader, StreamHost } from "./stream-host.ts"
import { StreamLife } from "./stream-life.ts"
import { StreamLog } from "./stream-log.ts"
import { StreamManagement } from "./stream-management.ts"
import { offsetOf, type StreamRecord } from "./stream-record.ts"
import { Upkeep } from "./upkeep.ts"

export type StreamState = { readonly kind: "stream"; readonly stream: StreamRecord; readonly tail: Offset }

export type Missing = { readonly kind: "missing" }

export type CreateOutcome = (StreamState & { readonly isNew: boolean }) | CreateFault

/** Why there is nothing to read at an offset. */
export type ReadFault = Missing | LocateFault

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

/** The sealed part of a stream: where each segment lies, the bytes of its body, and the hash of its object. */
export type SegmentList = {
  readonly kind: "segments"
  readonly segments: readonly {
    readonly from: Offset
    readonly next: Offset
    readonly bytes: number
    readonly sha256: string
    readonly key: string
  }[]
}

/** What is asked for is in a segment, which whoever asks is to read. */
export type Sealed = { readonly kind: "sealed"; readonly generation: number; readonly part: SegmentPart }

/**
 * One stream: what it answers, what it stores and whom it tells. Every method is one turn: it decides and
 * writes without waiting for anything, so turns follow each other as the host calls them, and after each of
 * them every open socket has been sent everything up to the tail.
 *
 * Nothing in memory outlives a turn but what is counted, so it may be thrown away and made anew between any two of
 * them.
 */
export class StreamCore {
  readonly #host: StreamHost
  readonly #log: StreamLog
  readonly #index: SegmentIndex
  readonly #life: StreamLife
  readonly #upkeep: Upkeep
  readonly #meter: Meter
  /** The stream's side of sealing. */
  readonly seals: StreamSeals
  readonly management: StreamManagement

  constructor(host: StreamHost, meter: Meter = new Meter(host.now())) {
    this.#host = host
    this.#meter = meter
    this.#log = new StreamLog(host, meter)
    this.#index = new SegmentIndex(host)
    this.seals = new StreamSeals(host, this.#log, this.#index)
    this.#life = new StreamLife(host, this.#log, this.seals)
    this.#upkeep = new Upkeep({ host, log: this.#log, index: this.#index, seals: this.seals })
    const [log, index, life, upkeep] = [this.#log, this.#index, this.#life, this.#upkeep]
    this.management = new StreamManagement({ host, log, index, life, upkeep, meter })
  }

  /** Makes the stream, or finds that it is there already with the same properties. */
  create(claim: CreateClaim, body: RawBody): CreateOutcome {
    const existing = this.#life.find()
    if (existing !== undefined) {
      return conflictWith(existing, claim) ?? { ...stateOf(existing), isNew: false }
    }
    const beginning = beginningOf(claim, body, this.#host.bounds)
    if (beginning.kind !== "beginning") return beginning
    const now = this.#host.now()
    const stream = this.#host.transact(() => {
      const { contentType, lifetime, retention, closed, budget, principal: creator } = claim
      const empty = this.#log.create({ contentType, lifetime, retention, closed, budget, creator }, now)
      if (beginning.body === undefined) return empty
      const chain = extendChain(empty.tail.chain, beginning.body.data)
      this.#meter.appended(1, beginning.body.count)
      return this.#log.append(empty, { ...beginning.body, chain }, now)
    })
    this.#upkeep.wakeWhenDue(stream)
    return { ...stateOf(stream), isNew: true }
  }

  /** What the stream is. Asking is no use of it. */
  head(): StreamState | Missing {
    const stream = this.#life.find()
    return stream === undefined ? { kind: "missing" } : stateOf(stream)
  }

  /** Removes the stream and everything in it. False when there is none. */
  delete(): boolean {
    const stream = this.#life.find()
    if (stream === undefined) return false
    this.#life.remove(stream)
    this.#upkeep.wakeWhenDue(undefined)
    return true
  }

  /** One page from an offset on, up to another one if that is given, or the segment that it is in. */
  read(offset: string, end?: string): Page | Sealed | ReadFault {
    const found = this.#locate(offset)
    if (found.kind !== "place") return found
    const { stream, place } = found
    const stop = end === undefined ? undefined : locate(this.#host, this.#index, stream, end)
    if (stop !== undefined && stop.kind !== "place") return stop
    const until = stop?.place.position ?? stream.tail.position
    const page = readForHttp(this.#host, { stream, place, until, bytesMax: this.#host.bounds.readBytesMax })
    const { contentType, generation } = stream
    this.#meter.count("bytesOut", page?.body.length ?? 0)
    if (page !== undefined)
      return { kind: "page", contentType, ...marksOf(stream, place, page.next), body: page.body }
    const segment = this.#index.holding(place.position)
    assert(segment !== undefined, `position ${place.position} of ${stream.tail.position} is somewhere`)
    return { kind: "sealed", generation, part: { segment, contentType, place, until } }
  }

  /** All segments that the stream has sealed and still keeps, in order. */
  segments(): SegmentList | Missing {
    const stream = this.#life.find()
    if (stream === undefined) return { kind: "missing" }
    const segments = this.#index.all().map(({ from, next, bytes, sha256, key }) => {
      return { from: offsetOf(stream, from), next: offsetOf(stream, next), bytes, sha256, key }
    })
    return { kind: "segments", segments }
  }

  /** Judges an append by the one rule, stores it and tells every reader. */
  append(claim: AppendClaim, body: RawBody): Reply {
    const [reply] = this.appendAll([{ claim: good(claim), body }])
    return reply as Reply // one for one
  }

  /**
   * Judges appends one after the other, stores what they add together, and tells every reader. All are stored, or
   * none when it throws. The replies are those to the asks, in their order; sockets have been sent theirs.
   */
  appendAll(asks: readonly AppendAsk[]): readonly Reply[] {
    const stream = this.#life.find()
    if (stream === undefined) {
      return asks.map((ask) => {
        const judged = judgeMissing(ask)
        answer(judged, this.#meter)
        return judged.reply
      })
    }
    const { bounds } = this.#host
    const now = this.#host.now()
    this.#meter.passTo(now)
    const pause = pauseOf(stream, this.#meter.costToday, bounds, now)
    const turn = new AppendTurn({ log: this.#log, now, bounds, pause }, stream)
    const judged = asks.map((ask) => turn.judge(ask))
    const stored = judged.filter((one) => one.stored !== undefined).length
    this.#meter.appended(stored, turn.stream.tail.position - stream.tail.position)
    if (turn.hasNews) this.#host.transact(() => turn.save())
    this.#upkeep.wakeAfterAppend(stream, turn.stream)
    if (judged.some(({ stored, closes }) => stored !== undefined || closes))
      tell(this.#host.readers(), judged, { bytesMax: bounds.appendBytesMax, meter: this.#meter })
    else for (const one of judged) answer(one, this.#meter)
    return judged.map(({ reply }) => reply)
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
    const { stream, place } = found
    const bytesMax = this.#host.bounds.socketCatchUpBytesMax
    this.#meter.count("framesOut", 1)
    if (bytesFrom(this.#host, stream, place.position) > bytesMax) {
      reader.send(encodeEdgeFrame({ t: "behind", next: offsetOf(stream, place) }))
      return reader.close(CLOSE.behind, "More is missing than a socket carries: catch up with GET.")
    }
    const page = readForFrame(this.#host, { stream, place, until: stream.tail.position, bytesMax })
    assert(page !== undefined, "what is not far from the tail is here")
    const { next, body } = page
    const marks = marksOf(stream, place, next)
    const t = next.position === place.position ? "control" : "data"
    this.#meter.count("bytesOut", typeof body === "string" ? utf8Length(body) : body.length)
    reader.send(encodeEdgeFrame({ t, ...marks, body }))
    if (marks.closed) reader.close(CLOSE.done, "The stream is closed.")
  }

  /** Reads one frame of a socket as the append that it asks for. A frame that nobody can answer ends the socket. */
  asked(reader: Reader, data: FrameData): AppendAsk | undefined {
    const { bounds } = this.#host
    const length = typeof data === "string" ? data.length : data.byteLength // characters are bytes at least
    const frame =
      length > bounds.frameBytesMax
        ? bad(`A frame may have ${bounds.frameBytesMax} bytes; this one has ${length}.`)
        : decodeClientFrame(data, bounds.frameHeaderBytesMax)
    if (!frame.ok) {
      reader.close(CLOSE.malformed, frame.reason)
      return undefined
    }
    const { id, fields, body } = frame.value
    const origin = { reader, id }
    if (mayAppend(reader.caller)) {
      const claim = claimOfFrame(fields, bounds, principalOf(reader.caller))
      return { claim, body: frameBody(body), origin }
    }
    answer({ ask: { origin }, reply: MISSING }, this.#meter)
    return undefined
  }

  /**
   * Ends the stream if its time has come, lets go of what it keeps no longer, and asks to be woken again. For when the
   * time of `wakeAt` has come, and after what that brought about.
   */
  expire(): void {
    const stream = this.#life.find()
    this.#upkeep.wakeWhenDue(stream && this.#upkeep.trim(stream))
  }

  /** The place that a reader asks for. Finding one is a use of the stream. */
  #locate(offset: string): { kind: "place"; stream: StreamRecord; place: Place } | ReadFault {
    const stream = this.#life.find()
    if (stream === undefined) return { kind: "missing" }
    const location = locate(this.#host, this.#index, stream, offset)
    if (location.kind !== "place") return location
    this.#life.noteUse(stream)
    return { ...location, stream }
  }
}

function stateOf(stream: StreamRecord): StreamState {
  return { kind: "stream", stream, tail: offsetOf(stream, stream.tail) }
}

/** Where a page lies, and whether it ends at the tail. */
function marksOf(stream: StreamRecord, place: Place, end: Place) {
  const upToDate = end.position === stream.tail.position
  const [from, next] = [offsetOf(stream, place), offsetOf(stream, end)]
  return { from, next, upToDate, closed: upToDate && stream.closed }
}
