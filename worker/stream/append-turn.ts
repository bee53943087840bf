import {
  type AppendBody,
  type AppendClaim,
  type AppendVerdict,
  judge,
  type Pause,
  type ProducerFacts,
  type RawBody,
  type StreamFacts,
} from "../../shared/append.ts"
import { DELETED, MISSING, type Reply, replyTo } from "../../shared/append-reply.ts"
import { joinBatches } from "../../shared/batch.ts"
import { type Chain, extendChain } from "../../shared/chain.ts"
import type { Decoded } from "../../shared/decoded.ts"
import type { FrameBody } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { isUseWorthNoting } from "../../shared/lifetime.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import { batchOf, noteBatch, type ProducerRecord } from "./producer-record.ts"
import type { Reader } from "./stream-host.ts"
import type { Absent } from "./stream-life.ts"
import type { NewBatch, StreamLog } from "./stream-log.ts"
import { offsetOf, type StreamRecord } from "./stream-record.ts"

/** One append that waits for its turn. */
export type AppendAsk = {
  /** What it says of itself, if that can be read. */
  readonly claim: Decoded<AppendClaim>
  readonly body: RawBody
  /** The socket that it came through, and its number there. Without a content type it means the stream's. */
  readonly origin?: { readonly reader: Reader; readonly id: number }
  /** Whether its sender may still append, when its turn has come. */
  readonly isAdmitted?: () => boolean
}

/** What became of an append. */
export type Judged = {
  readonly ask: AppendAsk
  readonly reply: Reply
  /** What it added to the log. */
  readonly stored?: Stored
  /** The tail after it. */
  readonly tail: Offset
  /** It closed the stream. */
  readonly closes: boolean
}

export type Stored = {
  readonly from: Offset
  readonly next: Offset
  readonly data: FrameBody
  readonly bytes: number
}

export type TurnParts = {
  readonly log: StreamLog
  readonly now: Millis
  readonly bounds: Bounds
  /** Why nothing is added for now. */
  readonly pause: Pause | undefined
}

/** What became of an append to a stream that there is not. */
export function judgeAbsent(ask: AppendAsk, { kind }: Absent): Pick<Judged, "ask" | "reply"> {
  if (!ask.claim.ok) return { ask, reply: malformed(ask.claim.reason) }
  return { ask, reply: kind === "missing" ? MISSING : DELETED }
}

/**
 * Appends that came together, judged one after the other, each as if those before it were stored, and then stored
 * together: texts in as few rows as hold them, and one mark for each producer.
 */
export class AppendTurn {
  readonly #log: StreamLog
  readonly #before: StreamRecord
  readonly #now: Millis
  readonly #bounds: Bounds
  readonly #pause: Pause | undefined
  /** The marks that this turn has moved. */
  readonly #producers = new Map<string, ProducerRecord>()
  readonly #rows: Row[] = []
  #stream: StreamRecord
  #isUsed = false

  constructor(parts: TurnParts, stream: StreamRecord) {
    this.#log = parts.log
    this.#before = stream
    this.#stream = stream
    this.#now = parts.now
    this.#bounds = parts.bounds
    this.#pause = parts.pause
  }

  judge(ask: AppendAsk): Judged {
    const before = offsetOf(this.#stream, this.#stream.tail)
    const { claim } = ask
    if (ask.isAdmitted?.() === false) return { ask, reply: MISSING, tail: before, closes: false }
    if (!claim.ok) return { ask, reply: malformed(claim.reason), tail: before, closes: false }
    const { contentType } = this.#stream
    const full = ask.origin === undefined ? claim.value : { contentType, ...defined(claim.value) }
    const verdict = judge(this.#facts(full, before), full, ask.body)
    const wasClosed = this.#stream.closed
    const stored = this.#take(verdict, full, before)
    const tail = offsetOf(this.#stream, this.#stream.tail)
    const { closed } = this.#stream
    const reply = replyTo(verdict, full, before, { contentType, closed, tail })
    return { ask, reply, tail, closes: closed && !wasClosed, ...(stored !== undefined && { stored }) }
  }

  /** The stream after all that was judged so far. */
  get stream(): StreamRecord {
    return { ...this.#stream, usedAt: this.#usedAt() }
  }

  /** The marks that it has moved. */
  get producers(): ReadonlyMap<string, ProducerRecord> {
    return this.#producers
  }

  /** Whether anything has to be written. */
  get hasNews(): boolean {
    return this.#rows.length > 0 || this.#producers.size > 0 || this.#isNoteDue()
  }

  /** Writes all of it. The caller holds the transaction. */
  save(): void {
    let stream = this.#before
    for (const row of this.#rows) stream = this.#log.append(stream, batchOfRow(row), this.#now)
    for (const [id, producer] of this.#producers) this.#log.noteProducer(id, producer)
    if (this.#isNoteDue()) this.#log.note({ ...this.#stream, usedAt: this.#usedAt() })
  }

  #facts({ producer }: AppendClaim, tail: Offset): StreamFacts {
    const { contentType, closed, streamSeq, tail: place } = this.#stream
    const known = producer && this.#producer(producer.id)
    const isEmpty = place.position === 0
    const [pause, bounds] = [this.#pause, this.#bounds]
    const facts = { contentType, closed, tail, isEmpty, streamSeq, pause, bounds }
    return { ...facts, producer: known && this.#producerFacts(known) }
  }

  #producer(id: string): ProducerRecord | undefined {
    return this.#producers.get(id) ?? this.#log.producer(id)
  }

  #producerFacts(known: ProducerRecord): ProducerFacts {
    const { owner, epoch, seq } = known
    const batch = (number: number) => {
      const place = batchOf(known, number)
      if (place === undefined) return undefined
      const { from, next } = place
      const [before, after] = [from.chain, next.chain]
      return { from: offsetOf(this.#stream, from), next: offsetOf(this.#stream, next), before, after }
    }
    return { owner, epoch, seq, batch }
  }

  /** Moves the stream by what was judged. */
  #take(verdict: AppendVerdict, claim: AppendClaim, before: Offset): Stored | undefined {
    if (verdict.kind === "duplicate") this.#isUsed = true
    if (this.#stream.closed || (verdict.kind !== "store" && verdict.kind !== "close")) return undefined
    this.#isUsed = true
    const from = this.#stream.tail
    if (verdict.kind === "store") this.#store(verdict.body)
    const next = this.#stream.tail
    const { producer, principal, streamSeq, close } = claim
    if (producer !== undefined) {
      const [known, place] = [this.#producer(producer.id), { from, next }]
      const record = noteBatch(known, producer, principal, place, this.#bounds.producerBatchesMax)
      this.#producers.set(producer.id, record)
    }
    if (streamSeq !== undefined) this.#stream = { ...this.#stream, streamSeq }
    if (close) this.#stream = { ...this.#stream, closed: true }
    if (verdict.kind !== "store") return undefined
    const { data, bytes } = verdict.body
    return { from: before, next: offsetOf(this.#stream, next), data, bytes }
  }

  #store({ data, count, bytes }: AppendBody): void {
    const { tail } = this.#stream
    const chain = extendChain(tail.chain, data)
    this.#stream = { ...this.#stream, tail: { position: tail.position + count, chain } }
    const last = this.#rows.at(-1)
    const joins = typeof data === "string" && last !== undefined && typeof last.parts[0] === "string"
    const joined = joins && last.bytes + 1 + bytes <= this.#bounds.appendBytesMax
    this.#stream = { ...this.#stream, bytes: this.#stream.bytes + bytes + (joined ? 1 : 0) }
    if (joined) {
      last.parts.push(data)
      last.count += count
      last.bytes += 1 + bytes // the comma
      last.chain = chain
    } else this.#rows.push({ parts: [data], count, bytes, chain })
  }

  /** The one row of the stream itself is written when it says something else, or a use is due to be noted. */
  #isNoteDue(): boolean {
    const { closed, streamSeq } = this.#before
    return this.#stream.closed !== closed || this.#stream.streamSeq !== streamSeq || this.#isUseDue()
  }

  #isUseDue(): boolean {
    const { lifetime, usedAt } = this.#before
    return this.#isUsed && isUseWorthNoting(lifetime, usedAt, this.#now, this.#bounds.useNoteMsInterval)
  }

  #usedAt(): Millis {
    return this.#isUseDue() ? this.#now : this.#before.usedAt
  }
}

/** One row to be: the texts of several appends, or the bytes of one, since bytes do not tell where they were joined. */
type Row = { readonly parts: FrameBody[]; count: number; bytes: number; chain: Chain }

function batchOfRow({ parts, ...row }: Row): NewBatch {
  const [only = ""] = parts
  return { ...row, data: parts.length === 1 ? only : joinBatches(parts.filter(isText)) }
}

function isText(part: FrameBody): part is string {
  return typeof part === "string"
}

/** A claim without the content type that it does not have. */
function defined({
  contentType,
  ...claim
}: AppendClaim): Omit<AppendClaim, "contentType"> & { contentType?: string } {
  return contentType === undefined ? claim : { ...claim, contentType }
}

function malformed(message: string): Reply {
  return { status: 400, headers: {}, message }
}
