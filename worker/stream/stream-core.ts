import type { AppendClaim, RawBody } from "../../shared/append.ts"
import { claimOfFrame } from "../../shared/append-claim.ts"
import type { Reply } from "../../shared/append-reply.ts"
import { assert } from "../../shared/assert.ts"
import { good } from "../../shared/decoded.ts"
import { CLOSE, decodeClientFrame, encodeEdgeFrame, type FrameData } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { issueOffset, type Offset, type Place } from "../../shared/offset.ts"
import { frameBody } from "./append-body.ts"
import { type AppendAsk, AppendTurn, judgeAbsent } from "./append-turn.ts"
import {
  begin,
  beginningOf,
  type CreateClaim,
  type CreateOutcome,
  conflictWith,
  LEFT_TO_FORKS,
} from "./create.ts"
import { answer, tell } from "./fan-out.ts"
import { holderAt } from "./lineage.ts"
import { type LocateFault, locate } from "./locate.ts"
import { bytesFrom, type PageClaim, readForFrame, readForHttp } from "./log-pages.ts"
import { StreamForks } from "./stream-forks.ts"
import type { Reader, StreamHost } from "./stream-host.ts"
import { type Absent, StreamLife } from "./stream-life.ts"
import { StreamLog } from "./stream-log.ts"
import { offsetOf, START_PLACE, type StreamRecord, type StreamState, stateOf } from "./stream-record.ts"

/** Why there is nothing to read at an offset. */
export type ReadFault = Absent | LocateFault

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

/** What is asked for is held by another stream, of which whoever asks is to read what lies between two offsets. */
export type Inherited = {
  readonly kind: "inherited"
  readonly path: string
  readonly from: Offset
  readonly until: Offset
}

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
  readonly #life: StreamLife
  /** The stream as fork and as source. */
  readonly forks: StreamForks

  constructor(host: StreamHost) {
    this.#host = host
    this.#log = new StreamLog(host)
    this.#life = new StreamLife(host, this.#log)
    this.forks = new StreamForks(host, this.#log, this.#life)
  }

  /** Makes the stream, or finds that it is there already with the same properties. */
  create(claim: CreateClaim, body: RawBody): CreateOutcome {
    const found = this.#life.find()
    if (found.kind === "deleted") return LEFT_TO_FORKS
    if (found.kind === "stream") {
      return conflictWith(found.stream, claim) ?? { ...stateOf(found.stream), isNew: false }
    }
    const beginning = beginningOf(claim, body)
    if (beginning.kind !== "beginning") return beginning
    const fresh = { ...claim, fork: undefined, base: START_PLACE }
    const stream = this.#host.transact(() => begin(this.#log, fresh, [beginning.body], this.#host.now()))
    this.#life.wakeAtEnd(stream)
    return { ...stateOf(stream), isNew: true }
  }

  /** What the stream is. Asking is no use of it. */
  head(): StreamState | Absent {
    const found = this.#life.find()
    return found.kind === "stream" ? stateOf(found.stream) : found
  }

  /** Removes the stream and everything in it, or leaves it to its forks. */
  delete(): { readonly kind: "done" } | Absent {
    const found = this.#life.find()
    if (found.kind !== "stream") return found
    this.#life.end(found.stream)
    return { kind: "done" }
  }

  /** One page from an offset on, or who has it. */
  read(offset: string, bytesMax: number = LIMITS.readBytesMax): Page | Inherited | ReadFault {
    const found = this.#locate(offset)
    if (found.kind === "inherited") return inheritedFrom(found.stream, found.place)
    if (found.kind !== "place") return found
    const { stream, place } = found
    return this.#page({ stream, place, until: stream.tail.position, bytesMax })
  }

  /** One page between two offsets for a fork that inherits it, whatever else has become of the stream. */
  readPart(from: Offset, until: Offset, bytesMax: number): Page | ReadFault {
    const stream = this.#log.find()
    if (stream === undefined) return { kind: "missing" }
    const [start, end] = [locate(this.#host, stream, from), locate(this.#host, stream, until)]
    if (start.kind === "inherited" || end.kind === "inherited") return { kind: "lost" }
    if (start.kind !== "place") return start
    if (end.kind !== "place") return end
    return this.#page({ stream, place: start.place, until: end.place.position, bytesMax })
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
    const found = this.#life.find()
    if (found.kind !== "stream") {
      return asks.map((ask) => {
        const judged = judgeAbsent(ask, found)
        answer(judged)
        return judged.reply
      })
    }
    const { stream } = found
    const turn = new AppendTurn(this.#log, stream, this.#host.now())
    const judged = asks.map((ask) => turn.judge(ask))
    if (turn.hasNews) this.#host.transact(() => turn.save())
    if (judged.some(({ stored, closes }) => stored !== undefined || closes))
      tell(this.#host.readers(), judged)
    else for (const one of judged) answer(one)
    return judged.map(({ reply }) => reply)
  }

  /**
   * Sends a new socket everything it lacks, or closes it saying why not. From then on it hears of every
   * append.
   */
  connect(reader: Reader, offset: string): void {
    const found = this.#locate(offset)
    if (found.kind === "missing") return reader.close(CLOSE.missing, "There is no such stream.")
    if (found.kind === "deleted") return reader.close(CLOSE.gone, "The stream was deleted.")
    if (found.kind !== "place" && found.kind !== "inherited")
      return reader.close(CLOSE.gone, "The offset is not a place in this stream's history.")
    const { kind, stream, place } = found
    const bytesMax = LIMITS.socketCatchUpBytesMax
    if (kind === "inherited" || bytesFrom(this.#host, stream, place.position) > bytesMax) {
      reader.send(encodeEdgeFrame({ t: "behind", next: offsetOf(stream, place) }))
      return reader.close(CLOSE.behind, "More is missing than a socket carries: catch up with GET.")
    }
    const claim = { stream, place, until: stream.tail.position, bytesMax }
    const { next, body } = readForFrame(this.#host, claim)
    const marks = marksOf(stream, place, next)
    const t = next.position === place.position ? "control" : "data"
    reader.send(encodeEdgeFrame({ t, ...marks, body }))
    if (marks.closed) reader.close(CLOSE.done, "The stream is closed.")
  }

  /** Reads one frame of a socket as the append that it asks for. A frame that nobody can answer ends the socket. */
  asked(reader: Reader, data: FrameData): AppendAsk | undefined {
    const frame = decodeClientFrame(data)
    if (!frame.ok) {
      reader.close(CLOSE.malformed, frame.reason)
      return undefined
    }
    const { id, fields, body } = frame.value
    return { claim: claimOfFrame(fields), body: frameBody(body), origin: { reader, id } }
  }

  /**
   * Ends the stream if its time has come, else asks to be woken again. For when the time of `wakeAt` has
   * come.
   */
  expire(): void {
    const found = this.#life.find()
    if (found.kind === "stream") this.#life.wakeAtEnd(found.stream)
  }

  #page(claim: PageClaim): Page {
    const { stream, place } = claim
    const { next, body } = readForHttp(this.#host, claim)
    return { kind: "page", contentType: stream.contentType, ...marksOf(stream, place, next), body }
  }

  /** The place that a reader asks for. Finding one is a use of the stream. */
  #locate(offset: string): Spot<"place"> | Spot<"inherited"> | ReadFault {
    const found = this.#life.find()
    if (found.kind !== "stream") return found
    const location = locate(this.#host, found.stream, offset)
    if (location.kind !== "place" && location.kind !== "inherited") return location
    this.#life.noteUse(found.stream)
    return { ...location, stream: found.stream }
  }
}

/** A place that was found, and the stream that it was found in. */
type Spot<Kind> = { readonly kind: Kind; readonly stream: StreamRecord; readonly place: Place }

function inheritedFrom(stream: StreamRecord, place: Place): Inherited {
  const ancestor = holderAt(stream.fork?.lineage ?? [], place.position)
  assert(ancestor !== undefined, `position ${place.position} before the base of a fork is an ancestor's`)
  const until = issueOffset({ generation: ancestor.generation, ...ancestor.until })
  return { kind: "inherited", path: ancestor.path, from: offsetOf(stream, place), until }
}

/** Where a page lies, and whether it ends at the tail. */
function marksOf(stream: StreamRecord, place: Place, end: Place) {
  const upToDate = end.position === stream.tail.position
  const [from, next] = [offsetOf(stream, place), offsetOf(stream, end)]
  return { from, next, upToDate, closed: upToDate && stream.closed }
}
