import { isJsonType } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Place } from "../../shared/offset.ts"
import { chainAt, readForHttp } from "../stream/log-pages.ts"
import { type SqlRow, type SqlValue, type StreamHost, wholeIn } from "../stream/stream-host.ts"
import type { StreamLog } from "../stream/stream-log.ts"
import type { StreamRecord } from "../stream/stream-record.ts"
import type { SegmentIndex, SegmentRow } from "./segment-index.ts"

/** A segment to be: the oldest batches of a stream. */
export type Draft = {
  readonly generation: number
  /** How the keys of the stream's segments begin. */
  readonly prefix: string
  readonly from: Place
  readonly next: Place
  readonly body: Uint8Array<ArrayBuffer>
  /** Of each message, where bytes do not tell. */
  readonly lengths: readonly number[]
  readonly bytesTo: number
  readonly at: Millis
}

/** The stream's side of sealing. Each method is one turn. */
export class StreamSeals {
  readonly #host: StreamHost
  readonly #log: StreamLog
  readonly #index: SegmentIndex
  #notBefore = 0

  constructor(host: StreamHost, log: StreamLog, index: SegmentIndex) {
    this.#host = host
    this.#log = log
    this.#index = index
  }

  /** When to try next, where the last try failed. */
  get notBefore(): number {
    return this.#notBefore
  }

  /** Leaves the store alone for a while. */
  postpone(): void {
    this.#notBefore = this.#host.now() + this.#host.bounds.upkeepRetryMs
  }

  /** Whether enough batches are here to seal some and keep some. */
  isDue(stream: StreamRecord): boolean {
    const { segmentBytes, hotBytesMin } = this.#host.bounds
    if (!this.#host.seals || stream.bytes - this.#bytesBefore() < segmentBytes + hotBytesMin) return false
    return this.#first(OLDEST)?.first !== this.#first(NEWEST)?.first
  }

  /** The next segment to seal, if one is due. The last batch never is in it. */
  draft(): Draft | undefined {
    const stream = this.#log.find()
    if (stream === undefined || stream.deletedAt !== undefined || !this.isDue(stream)) return undefined
    const position = wholeIn(this.#first(OLDEST)?.first)
    const until = wholeIn(this.#first(NEWEST)?.first)
    const chain = chainAt(this.#host, this.#index, stream, position)
    if (chain === undefined || position >= until) return undefined
    const from = { position, chain }
    const claim = { stream, place: from, until, bytesMax: this.#host.bounds.segmentBytes }
    const page = readForHttp(this.#host, claim)
    if (page === undefined) return undefined
    const { next, body } = page
    const last = this.#first(LAST_BEFORE, next.position)
    this.#index.prepare() // so that whatever is stored from now on is known as garbage when the stream goes
    return {
      generation: stream.generation,
      prefix: this.prefix(stream),
      from,
      next,
      body,
      lengths: isJsonType(stream.contentType) ? [] : this.#lengths(position, next.position),
      bytesTo: wholeIn(last?.bytes_to),
      at: wholeIn(last?.at) as Millis, // was one when it was stored
    }
  }

  /** Notes a segment and lets go of its batches, unless the stream is another by now. */
  commit(draft: Draft, segment: SegmentRow): void {
    this.#host.transact(() => {
      const stream = this.#log.find()
      const isSame = stream?.generation === draft.generation
      if (!isSame || this.#first(OLDEST)?.first !== draft.from.position)
        return this.#index.discard(segment.key)
      this.#index.add(segment)
      this.#log.prune(draft.next.position)
    })
  }

  /** Notes that nothing refers to the segments of a stream any more. The caller holds the transaction. */
  removed(stream: StreamRecord): void {
    this.#index.dropAll(this.prefix(stream))
  }

  garbage(): readonly string[] {
    return this.#host.seals ? this.#index.garbage() : []
  }

  collected(prefix: string): void {
    this.#index.collected(prefix)
  }

  /** How the keys of this stream's segments begin. No other stream's do. */
  prefix({ generation }: Pick<StreamRecord, "generation">): string {
    return `${this.#host.name}/${generation.toString(36)}/`
  }

  #bytesBefore(): number {
    const row = this.#first(BYTES_BEFORE)
    return row === undefined ? 0 : wholeIn(row.bytes)
  }

  #lengths(from: number, next: number): number[] {
    const rows = this.#host.exec(
      "SELECT length(body) AS length FROM batches WHERE first >= ? AND first < ?",
      from,
      next,
    )
    return [...rows].map(({ length }) => wholeIn(length))
  }

  #first(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    const [row] = [...this.#host.exec(sql, ...values)]
    return row
  }
}

const OLDEST = "SELECT first FROM batches ORDER BY first LIMIT 1"

const NEWEST = "SELECT first FROM batches ORDER BY first DESC LIMIT 1"

const LAST_BEFORE = "SELECT bytes_to, at FROM batches WHERE first < ? ORDER BY first DESC LIMIT 1"

const BYTES_BEFORE = `SELECT bytes_to - length(CAST(body AS BLOB)) AS bytes FROM batches ORDER BY first LIMIT 1`
