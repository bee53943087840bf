import type { ProducerClaim } from "../../shared/append.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Lifetime } from "../../shared/lifetime.ts"
import type { ProducerMark } from "../../shared/producer.ts"
import { type SqlRow, type SqlValue, type StreamHost, textIn, wholeIn } from "./stream-host.ts"

/*
 * One stream in SQLite. A position is how many messages come before a place.
 *
 *   stream      one row    what the stream is; content_type is NULL once it is deleted
 *   batches     key first  what was appended at once, from position `first` on: `count` messages in `body`, the
 *                          text of a JSON batch or bytes; `bytes_to` is the bytes of all bodies up to its end
 *   producers   key id     the last batch taken from each producer, and the position after it
 *
 * After every transaction:
 *   1. batches follow each other without gap: each begins where the one before it ends;
 *   2. the tail is the end of the last batch, and stands nowhere else, which saves a row on every append;
 *   3. a producer's mark is that of a batch which is in `batches`, and stays for as long as the stream does.
 *
 * A deleted stream keeps its one row, so that the next stream of this name gets a greater generation, and offsets
 * of the old one are known for what they are. Its other tables are dropped: that costs nothing, where rows would.
 */

export type StreamRecord = {
  /** Creation time in milliseconds, or more where clocks stood still: no two streams of one name share it. */
  readonly generation: number
  readonly contentType: string
  readonly closed: boolean
  readonly lifetime: Lifetime
  readonly usedAt: Millis
  readonly streamSeq: string | undefined
  /** The position after the last message. */
  readonly tail: number
  /** Bytes of all bodies. */
  readonly bytes: number
}

export type NewStream = Pick<StreamRecord, "contentType" | "closed" | "lifetime">

export type ProducerRecord = ProducerMark & { readonly next: number }

const STREAM_TABLE = `CREATE TABLE IF NOT EXISTS stream (
  only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
  generation INTEGER NOT NULL,
  content_type TEXT,
  closed INTEGER NOT NULL,
  ttl_s INTEGER,
  expires_at INTEGER,
  expires_text TEXT,
  used_at INTEGER NOT NULL,
  stream_seq TEXT
)`

const LOG_TABLES = [
  `CREATE TABLE batches (
    first INTEGER PRIMARY KEY, count INTEGER NOT NULL, bytes_to INTEGER NOT NULL, body NOT NULL
  )`,
  `CREATE TABLE producers (
    id TEXT PRIMARY KEY, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, next INTEGER NOT NULL
  ) WITHOUT ROWID`,
]

/**
 * Finds and writes one stream; `log-pages.ts` reads it. It decides nothing, and its caller holds the
 * transaction.
 */
export class StreamLog {
  readonly #host: Pick<StreamHost, "exec">
  #hasTable = false

  constructor(host: Pick<StreamHost, "exec">) {
    this.#host = host
  }

  /** What the stream is and how far it goes; undefined when there is none. Asking writes nothing. */
  find(): StreamRecord | undefined {
    this.#hasTable ||= this.#first("SELECT 1 FROM sqlite_master WHERE name = 'stream'") !== undefined
    if (!this.#hasTable) return undefined
    const row = this.#first("SELECT * FROM stream WHERE content_type IS NOT NULL")
    if (row === undefined) return undefined
    const last = this.#first(
      "SELECT first + count AS tail, bytes_to FROM batches ORDER BY first DESC LIMIT 1",
    )
    return {
      generation: wholeIn(row.generation),
      contentType: textIn(row.content_type),
      closed: row.closed === 1,
      lifetime: lifetimeOf(row),
      usedAt: wholeIn(row.used_at) as Millis, // was one when it was stored
      streamSeq: row.stream_seq === null ? undefined : textIn(row.stream_seq),
      tail: last === undefined ? 0 : wholeIn(last.tail),
      bytes: last === undefined ? 0 : wholeIn(last.bytes_to),
    }
  }

  /** Begins a stream where none is. */
  create({ contentType, closed, lifetime }: NewStream, now: Millis): StreamRecord {
    this.#run(STREAM_TABLE)
    const before = this.#first("SELECT generation FROM stream")
    const generation = before === undefined ? now : Math.max(now, wholeIn(before.generation) + 1)
    for (const table of LOG_TABLES) this.#run(table)
    this.#run(
      `INSERT OR REPLACE INTO stream
         (only_row, generation, content_type, closed, ttl_s, expires_at, expires_text, used_at)
       VALUES (1, ?, ?, ?, ?, ?, ?, ?)`,
      generation,
      contentType,
      closed ? 1 : 0,
      lifetime.kind === "idle" ? lifetime.seconds : null,
      lifetime.kind === "until" ? lifetime.at : null,
      lifetime.kind === "until" ? lifetime.text : null,
      now,
    )
    return { generation, contentType, closed, lifetime, usedAt: now, streamSeq: undefined, tail: 0, bytes: 0 }
  }

  remove(): void {
    this.#run("UPDATE stream SET content_type = NULL")
    this.#run("DROP TABLE batches")
    this.#run("DROP TABLE producers")
  }

  append(stream: StreamRecord, body: { data: SqlValue; count: number; bytes: number }): StreamRecord {
    const { data, count } = body
    const bytes = stream.bytes + body.bytes
    this.#run(
      "INSERT INTO batches (first, count, bytes_to, body) VALUES (?, ?, ?, ?)",
      stream.tail,
      count,
      bytes,
      data,
    )
    return { ...stream, tail: stream.tail + count, bytes }
  }

  close(stream: StreamRecord): StreamRecord {
    this.#run("UPDATE stream SET closed = 1")
    return { ...stream, closed: true }
  }

  noteStreamSeq(streamSeq: string): void {
    this.#run("UPDATE stream SET stream_seq = ?", streamSeq)
  }

  noteUse(at: Millis): void {
    this.#run("UPDATE stream SET used_at = ?", at)
  }

  producer(id: string): ProducerRecord | undefined {
    const row = this.#first("SELECT epoch, seq, next FROM producers WHERE id = ?", id)
    return row && { epoch: wholeIn(row.epoch), seq: wholeIn(row.seq), next: wholeIn(row.next) }
  }

  noteProducer({ id, epoch, seq }: ProducerClaim, next: number): void {
    this.#run(
      `INSERT INTO producers (id, epoch, seq, next) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, next = excluded.next`,
      id,
      epoch,
      seq,
      next,
    )
  }

  #run(sql: string, ...values: SqlValue[]): void {
    this.#first(sql, ...values) // a host may run a statement no sooner than its rows are asked for
  }

  #first(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    const [row] = [...this.#host.exec(sql, ...values)]
    return row
  }
}

function lifetimeOf(row: SqlRow): Lifetime {
  if (row.ttl_s !== null) return { kind: "idle", seconds: wholeIn(row.ttl_s) }
  if (row.expires_at === null) return { kind: "endless" }
  return { kind: "until", at: wholeIn(row.expires_at) as Millis, text: textIn(row.expires_text) } // was one then
}
