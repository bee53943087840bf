import type { Chain } from "../../shared/chain.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Place } from "../../shared/offset.ts"
import type { Meter } from "../meter/meter.ts"
import { writeForkRecord } from "./fork-record.ts"
import { REFERENCES_TABLE } from "./fork-references.ts"
import { type ProducerRecord, producerOf } from "./producer-record.ts"
import { type SqlRow, type SqlValue, type StreamHost, textIn, wholeIn } from "./stream-host.ts"
import {
  type NewStream,
  recordOf,
  START_PLACE,
  type StreamRecord,
  type StreamTerms,
} from "./stream-record.ts"

/*
 * One stream in SQLite. A position is how many messages come before a place.
 *
 *   stream      one row    what the stream is; content_type is NULL once it is removed
 *   batches     key first  what was stored at once, from position `first` on: `count` messages in `body`, the text of
 *                          a JSON batch or bytes; `bytes_to` is the bytes of all bodies up to its end, `chain` the
 *                          chain there, `at` the time, `meter` what was counted before it; only the last one's counts
 *   producers   key id     the last batch taken from each producer, and where its last batches stand
 *   forks       key id     who reads through this stream
 *
 * After every transaction:
 *   1. batches follow each other without gap from the base on: each begins where the one before it ends;
 *   2. the tail is the end of the last batch, and stands nowhere else, which saves a row on every append; so the last
 *      batch stays for as long as the stream does;
 *   3. a producer's mark is that of the last of its batches that is in the log, and stays for as long as the stream.
 *
 * A stream that is deleted while it has forks stays as it is, with a time in deleted_at, until the last of them is
 * gone. One that is removed keeps its one row, so that the next stream of this name gets a greater generation, and
 * offsets of the old one are known for what they are. Its other tables are dropped: that costs nothing, where rows
 * would.
 */

/** What is stored in one row: the messages of one append, or of several that came together. */
export type NewBatch = {
  readonly data: SqlValue
  readonly count: number
  readonly bytes: number
  /** The chain after it. */
  readonly chain: Chain
}

const STREAM_TABLE = `CREATE TABLE IF NOT EXISTS stream (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  generation INTEGER NOT NULL,
  content_type TEXT,
  closed INTEGER NOT NULL,
  ttl_s INTEGER,
  expires_at INTEGER,
  expires_text TEXT,
  used_at INTEGER NOT NULL,
  stream_seq TEXT,
  retain_ms INTEGER,
  retain_bytes INTEGER,
  budget INTEGER,
  creator TEXT,
  earliest INTEGER NOT NULL,
  earliest_chain TEXT NOT NULL,
  base INTEGER NOT NULL,
  base_chain TEXT NOT NULL,
  fork TEXT,
  deleted_at INTEGER
)`

const LOG_TABLES = [
  `CREATE TABLE batches (
    first INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes_to INTEGER NOT NULL, chain TEXT NOT NULL,
    at INTEGER NOT NULL, meter TEXT NOT NULL, body NOT NULL
  )`,
  `CREATE TABLE producers (
    id TEXT PRIMARY KEY, owner TEXT, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, batches TEXT NOT NULL
  ) WITHOUT ROWID`,
  REFERENCES_TABLE,
]

const FIND = `SELECT stream.*, last.tail, last.bytes_to, last.chain, last.meter FROM stream
  LEFT JOIN (SELECT first + count AS tail, bytes_to, chain, meter FROM batches ORDER BY first DESC LIMIT 1) last
  WHERE content_type IS NOT NULL`

/**
 * Finds and writes one stream; `log-pages.ts` reads it. It decides nothing, and its caller holds the
 * transaction.
 */
export class StreamLog {
  readonly #host: Pick<StreamHost, "exec" | "bounds">
  readonly #meter: Meter
  #hasTables = false
  /** What `find` and `producer` would read, as far as it is known. Whatever writes forgets it. */
  #known: StreamRecord | undefined
  readonly #producers = new Map<string, ProducerRecord>()

  constructor(host: Pick<StreamHost, "exec" | "bounds">, meter: Meter) {
    this.#host = host
    this.#meter = meter
  }

  /** What the stream is and how far it goes; undefined when there is none. Asking writes nothing. */
  find(): StreamRecord | undefined {
    if (this.#known !== undefined) return this.#known
    this.#hasTables ||= this.#first("SELECT 1 FROM sqlite_master WHERE name = 'batches'") !== undefined
    const row = this.#hasTables ? this.#first(FIND) : undefined
    if (row === undefined) return undefined
    this.#meter.restore(row.meter === null ? undefined : textIn(row.meter))
    this.#known = recordOf(row)
    return this.#known
  }

  /** Takes note of what has been written, once it is: it need not be read again. */
  remember(stream: StreamRecord, producers: ReadonlyMap<string, ProducerRecord>): void {
    this.#known = stream
    if (this.#producers.size + producers.size > this.#host.bounds.producersRememberedMax)
      this.#producers.clear()
    for (const [id, producer] of producers) this.#producers.set(id, producer)
  }

  /** Begins a stream where none is. Its generation is greater than all before it, of its name and of its lineage. */
  create(stream: NewStream, now: Millis): StreamRecord {
    const { contentType, closed, lifetime, retention, budget, creator, fork, base } = stream
    this.#meter.restart()
    this.#run(STREAM_TABLE)
    const before = this.#first("SELECT generation FROM stream")
    const older = fork?.lineage.map((ancestor) => ancestor.generation) ?? []
    if (before !== undefined) older.push(wholeIn(before.generation))
    const generation = Math.max(now, ...older.map((one) => one + 1))
    for (const table of LOG_TABLES) this.#run(table)
    this.#run(
      `INSERT OR REPLACE INTO stream (only_row, generation, content_type, closed, ttl_s, expires_at, expires_text,
         used_at, retain_ms, retain_bytes, budget, creator, earliest, earliest_chain, base, base_chain, fork)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      generation,
      contentType,
      closed ? 1 : 0,
      lifetime.kind === "idle" ? lifetime.seconds : null,
      lifetime.kind === "until" ? lifetime.at : null,
      lifetime.kind === "until" ? lifetime.text : null,
      now,
      retention.ageMs ?? null,
      retention.bytes ?? null,
      budget ?? null,
      creator ?? null,
      START_PLACE.position,
      START_PLACE.chain,
      base.position,
      base.chain,
      writeForkRecord(fork),
    )
    const places = { earliest: START_PLACE, tail: base, bytes: 0 }
    return { ...stream, generation, usedAt: now, streamSeq: undefined, deletedAt: undefined, ...places }
  }

  remove(): void {
    this.#producers.clear()
    this.#run("UPDATE stream SET content_type = NULL")
    this.#run("DROP TABLE batches")
    this.#run("DROP TABLE producers")
    this.#run("DROP TABLE forks")
    this.#hasTables = false
  }

  append(stream: StreamRecord, { data, count, bytes, chain }: NewBatch, now: Millis): StreamRecord {
    const { tail } = stream
    const bytesTo = stream.bytes + bytes
    this.#run(
      "INSERT INTO batches (first, count, bytes_to, chain, at, meter, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
      tail.position,
      count,
      bytesTo,
      chain,
      now,
      this.#meter.text,
      data,
    )
    return { ...stream, tail: { position: tail.position + count, chain }, bytes: bytesTo }
  }

  /** Writes down whether the stream is closed, and its last `Stream-Seq`. */
  note({ closed, streamSeq, usedAt }: Pick<StreamRecord, "closed" | "streamSeq" | "usedAt">): void {
    this.#run(
      "UPDATE stream SET closed = ?, stream_seq = ?, used_at = ?",
      closed ? 1 : 0,
      streamSeq ?? null,
      usedAt,
    )
  }

  /** Writes down how much of the stream is kept, and what it may cost. */
  noteTerms({ retention, budget }: StreamTerms): void {
    this.#run(
      "UPDATE stream SET retain_ms = ?, retain_bytes = ?, budget = ?",
      retention.ageMs ?? null,
      retention.bytes ?? null,
      budget ?? null,
    )
  }

  /** Lets go of the batches before this position, where one begins. */
  prune(position: number): void {
    this.#run("DELETE FROM batches WHERE first < ?", position)
  }

  noteEarliest({ position, chain }: Place): void {
    this.#run("UPDATE stream SET earliest = ?, earliest_chain = ?", position, chain)
  }

  /** Leaves the stream to its forks. */
  noteDeleted(at: Millis): void {
    this.#run("UPDATE stream SET deleted_at = ?", at)
  }

  noteUse(at: Millis): void {
    this.#run("UPDATE stream SET used_at = ?", at)
  }

  producer(id: string): ProducerRecord | undefined {
    const known = this.#producers.get(id)
    if (known !== undefined) return known
    const row = this.#first("SELECT owner, epoch, seq, batches FROM producers WHERE id = ?", id)
    return row && producerOf(row)
  }

  noteProducer(id: string, { owner, epoch, seq, batches }: ProducerRecord): void {
    this.#producers.delete(id)
    this.#run(
      `INSERT INTO producers (id, owner, epoch, seq, batches) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, seq = excluded.seq,
         batches = excluded.batches`,
      id,
      owner ?? null,
      epoch,
      seq,
      batches,
    )
  }

  #run(sql: string, ...values: SqlValue[]): void {
    this.#known = undefined
    this.#first(sql, ...values) // a host may run a statement no sooner than its rows are asked for
  }

  #first(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    const [row] = [...this.#host.exec(sql, ...values)]
    return row
  }
}
