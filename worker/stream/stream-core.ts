import type { AppendClaim, RawBody } from "../../shared/append.ts"
import { claimOfFrame } from "../../shared/append-claim.ts"
import { MISSING, type Reply } from "../../shared/append-reply.ts"
import { bad, good } from "../../shared/decoded.ts"
import { CLOSE, decodeClientFrame, type FrameData } from "../../shared/frames.ts"
import { mayAppend, principalOf } from "../access/caller.ts"
import { pauseOf } from "../meter/budget.ts"
import { Meter } from "../meter/meter.ts"
import { SegmentIndex } from "../segments/segment-index.ts"
import { StreamSeals } from "../segments/stream-seals.ts"
import { frameBody } from "./append-body.ts"
import { type AppendAsk, AppendTurn, judgeAbsent } from "./append-turn.ts"
import { beginningOf, type CreateClaim, type CreateOutcome, conflictWith, LEFT_TO_FORKS } from "./create.ts"
import { answer, tell } from "./fan-out.ts"
import { Starter } from "./starter.ts"
import { StreamForks } from "./stream-forks.ts"
import type { Reader, StreamHost } from "./stream-host.ts"
import { type Absent, StreamLife } from "./stream-life.ts"
import { StreamLog } from "./stream-log.ts"
import { StreamManagement } from "./stream-management.ts"
import {
  type Inherited,
  type Page,
  type ReadAsk,
  type ReadFault,
  type Sealed,
  StreamReads,
} from "./stream-reads.ts"
import { START_PLACE, type StreamState, stateOf } from "./stream-record.ts"
import { Upkeep } from "./upkeep.ts"

/**
 * One stream: what it answers, what it stores and whom it tells. Every method is one turn: it decides and
 * writes without waiting for anything, so turns follow each other as the host calls them, and after each of
 * them every open socket has been sent everything up to the tail.
 *
 * What memory keeps beyond a turn is counts, and a copy of what is stored. So it may be thrown away and made anew
 * between any two of them.
 */
export class StreamCore {
  readonly #host: StreamHost
  readonly #log: StreamLog
  readonly #life: StreamLife
  readonly #upkeep: Upkeep
  readonly #meter: Meter
  /** The stream's side of sealing. */
  readonly seals: StreamSeals
  readonly #starter: Starter
  readonly reads: StreamReads
  /** The stream as fork and as source. */
  readonly forks: StreamForks
  readonly management: StreamManagement

  constructor(host: StreamHost, meter: Meter = new Meter(host.now())) {
    this.#host = host
    this.#meter = meter
    this.#log = new StreamLog(host, meter)
    const index = new SegmentIndex(host)
    this.seals = new StreamSeals(host, this.#log, index)
    this.#life = new StreamLife(host, this.#log, this.seals)
    this.#upkeep = new Upkeep({ host, log: this.#log, index, seals: this.seals })
    const [log, life, upkeep] = [this.#log, this.#life, this.#upkeep]
    this.#starter = new Starter({ host, log, upkeep, meter })
    this.reads = new StreamReads({ host, log, index, life, meter })
    this.forks = new StreamForks({ host, log, index, life, starter: this.#starter })
    this.management = new StreamManagement({ host, log, index, life, upkeep, meter })
  }

  /** Makes the stream, or finds that it is there already with the same properties. */
  create(claim: CreateClaim, body: RawBody): CreateOutcome {
    const found = this.#life.find()
    if (found.kind === "deleted") return LEFT_TO_FORKS
    if (found.kind === "stream") {
      return conflictWith(found.stream, claim) ?? { ...stateOf(found.stream), isNew: false }
    }
    const beginning = beginningOf(claim, body, this.#host.bounds)
    if (beginning.kind !== "beginning") return beginning
    const { principal: creator, ...terms } = claim
    const fresh = { ...terms, budget: terms.budget, creator, fork: undefined, base: START_PLACE }
    const stream = this.#starter.begin(fresh, [beginning.body])
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

  /** One page, or who has what was asked for. */
  read(ask: ReadAsk): Page | Sealed | Inherited | ReadFault {
    return this.reads.read(ask)
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
        answer(judged, this.#meter)
        return judged.reply
      })
    }
    const { stream } = found
    const { bounds } = this.#host
    const now = this.#host.now()
    this.#meter.passTo(now)
    const pause = pauseOf(stream, this.#meter.costToday, bounds, now)
    const turn = new AppendTurn({ log: this.#log, now, bounds, pause }, stream)
    const judged = asks.map((ask) => turn.judge(ask))
    const stored = judged.filter((one) => one.stored !== undefined).length
    const after = turn.stream
    this.#meter.appended(stored, after.tail.position - stream.tail.position)
    if (turn.hasNews) {
      this.#host.transact(() => turn.save())
      this.#log.remember(after, turn.producers)
      this.#upkeep.wakeAfterAppend(stream, after)
      this.#host.changed()
    }
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
    this.reads.connect(reader, offset)
  }

  /** A socket has closed. */
  left(): void {
    this.#life.left()
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
    const found = this.#life.find()
    this.#upkeep.wakeWhenDue(found.kind === "stream" ? this.#upkeep.trim(found.stream) : undefined)
  }
}
