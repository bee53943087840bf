import { assert } from "../../shared/assert.ts"
import { utf8Length } from "../../shared/events.ts"
import { CLOSE, encodeEdgeFrame } from "../../shared/frames.ts"
import { isJsonType } from "../../shared/http.ts"
import { issueOffset, type Offset, type Place } from "../../shared/offset.ts"
import type { Meter } from "../meter/meter.ts"
import { arrayOf } from "../page-body.ts"
import type { SegmentPart } from "../segments/segment.ts"
import type { SegmentIndex } from "../segments/segment-index.ts"
import { holderAt } from "./lineage.ts"
import { type LocateFault, locate } from "./locate.ts"
import { bytesFrom, type PageClaim, readForFrame, readForHttp } from "./log-pages.ts"
import type { Reader, StreamHost } from "./stream-host.ts"
import type { Absent, StreamLife } from "./stream-life.ts"
import type { StreamLog } from "./stream-log.ts"
import { generationAt, offsetOf, type StreamRecord } from "./stream-record.ts"

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

/** What is asked for is in a segment, which whoever asks is to read. */
export type Sealed = {
  readonly kind: "sealed"
  readonly from: Offset
  /** Of all offsets behind `from`. */
  readonly generation: number
  readonly part: SegmentPart
}

/** What is asked for is held by another stream, of which whoever asks is to read what lies between two offsets. */
export type Inherited = {
  readonly kind: "inherited"
  readonly path: string
  readonly from: Offset
  readonly until: Offset
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

/** Where to read from, where to stop at the latest, and how many bytes are enough: one batch is always read. */
export type ReadAsk = {
  /** Whether this is no use of the stream, whose time goes on. */
  readonly isQuiet?: boolean
  readonly offset: string
  readonly end?: string | undefined
  readonly bytesMax?: number | undefined
}

export type ReadsParts = {
  readonly host: StreamHost
  readonly log: StreamLog
  readonly index: SegmentIndex
  readonly life: StreamLife
  readonly meter: Meter
}

/** A place that was found, and the stream that it was found in. */
type Spot<Kind> = { readonly kind: Kind; readonly stream: StreamRecord; readonly place: Place }

/** What one stream gives to read. Each method is one turn. */
export class StreamReads {
  readonly #parts: ReadsParts

  constructor(parts: ReadsParts) {
    this.#parts = parts
  }

  /** One page, or who has what was asked for. */
  read({
    offset,
    end,
    bytesMax = this.#parts.host.bounds.readBytesMax,
    isQuiet,
  }: ReadAsk): Outcome | Inherited {
    const found = this.#locate(offset, isQuiet)
    if (found.kind !== "place" && found.kind !== "inherited") return found
    const { stream, place } = found
    const stop = end === undefined ? undefined : this.#find(stream, end)
    if (stop !== undefined && stop.kind !== "place" && stop.kind !== "inherited") return stop
    if (stop !== undefined && stop.place.position <= place.position)
      return emptyPage(stream, place, stop.place)
    if (found.kind === "inherited") return inheritedFrom(stream, place, stop?.place)
    return this.#page({ stream, place, until: stop?.place.position ?? stream.tail.position, bytesMax })
  }

  /** One page between two offsets for a fork that inherits it, whatever else has become of the stream. */
  readPart(from: Offset, until: Offset, bytesMax: number): Outcome {
    const stream = this.#parts.log.find()
    if (stream === undefined) return { kind: "missing" }
    const [start, end] = [this.#find(stream, from), this.#find(stream, until)]
    if (start.kind === "inherited" || end.kind === "inherited") return { kind: "lost" }
    if (start.kind !== "place") return start
    if (end.kind !== "place") return end
    return this.#page({ stream, place: start.place, until: end.place.position, bytesMax })
  }

  /** All segments that the stream has sealed and still keeps, in order. */
  segments(): SegmentList | Absent {
    const found = this.#parts.life.find()
    if (found.kind !== "stream") return found
    const segments = this.#parts.index.all().map(({ from, next, bytes, sha256, key }) => {
      return { from: offsetOf(found.stream, from), next: offsetOf(found.stream, next), bytes, sha256, key }
    })
    return { kind: "segments", segments }
  }

  /** Sends a new socket everything it lacks, or closes it saying why not. */
  connect(reader: Reader, offset: string): void {
    const found = this.#locate(offset)
    if (found.kind === "missing") return reader.close(CLOSE.missing, "There is no such stream.")
    if (found.kind === "deleted") return reader.close(CLOSE.gone, "The stream was deleted.")
    if (found.kind !== "place" && found.kind !== "inherited")
      return reader.close(CLOSE.gone, "The offset is not a place in this stream's history.")
    const { host, meter } = this.#parts
    const { kind, stream, place } = found
    const bytesMax = host.bounds.socketCatchUpBytesMax
    meter.count("framesOut", 1)
    if (kind === "inherited" || bytesFrom(host, stream, place.position) > bytesMax) {
      reader.send(encodeEdgeFrame({ t: "behind", next: offsetOf(stream, place) }))
      return reader.close(CLOSE.behind, "More is missing than a socket carries: catch up with GET.")
    }
    const page = readForFrame(host, { stream, place, until: stream.tail.position, bytesMax })
    assert(page !== undefined, "what is not far from the tail is here")
    const { next, body } = page
    const marks = marksOf(stream, place, next)
    const t = next.position === place.position ? "control" : "data"
    meter.count("bytesOut", typeof body === "string" ? utf8Length(body) : body.length)
    reader.send(encodeEdgeFrame({ t, ...marks, body }))
    if (marks.closed) reader.close(CLOSE.done, "The stream is closed.")
  }

  /** The page if its first batch is here, else the segment that holds it. */
  #page(claim: PageClaim): Page | Sealed {
    const { host, index, meter } = this.#parts
    const { stream, place, until, bytesMax } = claim
    const { contentType } = stream
    const page = readForHttp(host, claim)
    if (page !== undefined) {
      meter.count("bytesOut", page.body.length)
      return { kind: "page", contentType, ...marksOf(stream, place, page.next), body: page.body }
    }
    const segment = index.holding(place.position)
    assert(segment !== undefined, `position ${place.position} of ${stream.tail.position} is somewhere`)
    const part = { segment, contentType, place, until, bytesMax }
    const generation = generationAt(stream, segment.next.position)
    return { kind: "sealed", from: offsetOf(stream, place), generation, part }
  }

  /** The place that a reader asks for. Finding one is a use of the stream. */
  #locate(offset: string, isQuiet = false): Spot<"place"> | Spot<"inherited"> | ReadFault {
    const { life } = this.#parts
    const found = life.find()
    if (found.kind !== "stream") return found
    const location = this.#find(found.stream, offset)
    if (location.kind !== "place" && location.kind !== "inherited") return location
    if (!isQuiet) life.noteUse(found.stream)
    return { ...location, stream: found.stream }
  }

  #find(stream: StreamRecord, offset: string) {
    return locate(this.#parts.host, this.#parts.index, stream, offset)
  }
}

/** What lies between a place and itself. */
function emptyPage(stream: StreamRecord, place: Place, stop: Place): Page | ReadFault {
  if (stop.position < place.position) {
    return { kind: "malformed", reason: "A read ends where it begins or later; an earlier end came." }
  }
  const { contentType } = stream
  const body = isJsonType(contentType) ? arrayOf([]) : new Uint8Array()
  return { kind: "page", contentType, ...marksOf(stream, place, place), body }
}

type Outcome = Page | Sealed | ReadFault

/** What an ancestor holds from a place on, as far as it goes or the reader wants. */
function inheritedFrom(stream: StreamRecord, place: Place, stop: Place | undefined): Inherited {
  const ancestor = holderAt(stream.fork?.lineage ?? [], place.position)
  assert(ancestor !== undefined, `position ${place.position} before the base of a fork is an ancestor's`)
  const { path, generation } = ancestor
  const isShorter = stop !== undefined && stop.position < ancestor.until.position
  const until = issueOffset({ generation, ...(isShorter ? stop : ancestor.until) })
  return { kind: "inherited", path, from: offsetOf(stream, place), until }
}

/** Where a page lies, and whether it ends at the tail. */
function marksOf(stream: StreamRecord, place: Place, end: Place) {
  const upToDate = end.position === stream.tail.position
  const [from, next] = [offsetOf(stream, place), offsetOf(stream, end)]
  return { from, next, upToDate, closed: upToDate && stream.closed }
}
