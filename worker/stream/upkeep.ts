import type { Millis } from "../../shared/ids.ts"
import { endOf } from "../../shared/lifetime.ts"
import type { SegmentIndex } from "../segments/segment-index.ts"
import type { StreamSeals } from "../segments/stream-seals.ts"
import { walk } from "./log-pages.ts"
import { type SqlRow, type StreamHost, wholeIn } from "./stream-host.ts"
import type { StreamLog } from "./stream-log.ts"
import { placeIn, type StreamRecord } from "./stream-record.ts"

export type UpkeepParts = {
  readonly host: StreamHost
  readonly log: StreamLog
  readonly index: SegmentIndex
  readonly seals: StreamSeals
}

/** What a stream needs by itself, when nobody asks: its end, what it keeps no longer, what is to be sealed. */
export class Upkeep {
  readonly #parts: UpkeepParts

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** Asks to be woken when the next thing is due. It follows from what is stored, whatever was asked before. */
  wakeWhenDue(stream: StreamRecord | undefined): void {
    const due = stream === undefined ? this.#garbageDue() : this.#dueAt(stream)
    if (due !== undefined) this.#parts.host.wakeAt(due)
  }

  /** The same after an append, which makes something due only now and then. */
  wakeAfterAppend(before: StreamRecord, after: StreamRecord): void {
    const { ageMs, bytes } = after.retention
    const step = Math.ceil(
      Math.min(this.#parts.host.bounds.segmentBytes, bytes ?? Number.POSITIVE_INFINITY) / STEPS,
    )
    const isCrossed = Math.floor(before.bytes / step) !== Math.floor(after.bytes / step)
    if (isCrossed || ageMs !== undefined) this.wakeWhenDue(after)
  }

  /** Lets go of what the stream keeps no longer: whole segments, then whole batches, never the last. */
  trim(stream: StreamRecord): StreamRecord {
    const { host, log, index } = this.#parts
    const { ageMs, bytes } = stream.retention
    if (ageMs === undefined && bytes === undefined) return stream
    const segments = index.all()
    const kept = segments.findIndex((segment) => !this.#isOver(stream, segment.at, segment.bytesTo))
    const over = kept === -1 ? segments : segments.slice(0, kept)
    const batch = kept === -1 ? this.#lastBatchOver(stream) : undefined
    const earliest = batch === undefined ? over.at(-1)?.next : placeIn(batch.next, batch.chain)
    if (earliest === undefined) return stream
    return host.transact(() => {
      for (const segment of over) index.drop(segment)
      if (batch !== undefined) log.prune(earliest.position)
      log.noteEarliest(earliest)
      return { ...stream, earliest }
    })
  }

  #dueAt(stream: StreamRecord): Millis | undefined {
    const { host, seals } = this.#parts
    const now = host.now()
    const end = endOf(stream.lifetime, stream.usedAt, host.bounds.useNoteMsInterval)
    const moments = [
      end === undefined ? undefined : end + 1, // the first moment after a time is a time
      seals.isDue(stream) ? Math.max(now, seals.notBefore) : undefined,
      this.#trimDue(stream, now),
      this.#garbageDue(),
    ].filter((at) => at !== undefined)
    return moments.length === 0 ? undefined : (Math.min(...moments) as Millis)
  }

  #garbageDue(): Millis | undefined {
    const { host, seals } = this.#parts
    if (seals.garbage().length === 0) return undefined
    return Math.max(host.now(), seals.notBefore) as Millis // a time, or a time and a duration
  }

  #trimDue(stream: StreamRecord, now: Millis): number | undefined {
    const { ageMs, bytes } = stream.retention
    if (ageMs === undefined && bytes === undefined) return undefined
    const oldest = this.#parts.index.oldest() ?? this.#oldestBatch()
    if (oldest === undefined) return undefined
    if (this.#isOver(stream, oldest.at, oldest.bytesTo)) return now
    if (ageMs === undefined) return undefined
    return oldest.at + ageMs + Math.min(ageMs / SLACK, this.#parts.host.bounds.retentionSlackMsMax)
  }

  #isOver({ retention, bytes }: StreamRecord, at: number, bytesTo: number): boolean {
    const isOld = retention.ageMs !== undefined && at + retention.ageMs <= this.#parts.host.now()
    return isOld || (retention.bytes !== undefined && bytes - bytesTo >= retention.bytes)
  }

  /** The oldest batch, unless it is the last as well. */
  #oldestBatch(): { readonly at: number; readonly bytesTo: number } | undefined {
    const [oldest, other] = [
      ...this.#parts.host.exec("SELECT at, bytes_to FROM batches ORDER BY first LIMIT 2"),
    ]
    if (oldest === undefined || other === undefined) return undefined
    return { at: wholeIn(oldest.at), bytesTo: wholeIn(oldest.bytes_to) }
  }

  #lastBatchOver(stream: StreamRecord): SqlRow | undefined {
    let over: SqlRow | undefined
    for (const row of walk(this.#parts.host, BATCHES, -1)) {
      if (row.next === stream.tail.position || !this.#isOver(stream, wholeIn(row.at), wholeIn(row.bytes_to)))
        break
      over = row
    }
    return over
  }
}

/** What is too old goes this part of its age later, so that many go at once. */
const SLACK = 10

/** A stream is looked at each time that it has grown by this part of a segment, or of what it keeps. */
const STEPS = 8

const BATCHES = `SELECT first, first + count AS next, chain, at, bytes_to FROM batches
  WHERE first > ? ORDER BY first LIMIT ?`
