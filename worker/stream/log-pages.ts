import { assert } from "../../shared/assert.ts"
import { joinBatches, splitBatch } from "../../shared/batch.ts"
import type { FrameBody } from "../../shared/frames.ts"
import { isJsonType } from "../../shared/http.ts"
import { bytesIn, type SqlRow, type StreamHost, textIn, wholeIn } from "./stream-host.ts"
import type { StreamRecord } from "./stream-log.ts"

/** What lies between a position and `next`. */
export type LogPage<Body> = { readonly next: number; readonly body: Body }

/** A place to read from, and how many bytes of batches one page may have. It has one batch at least. */
export type PageClaim = {
  readonly stream: StreamRecord
  readonly position: number
  readonly bytesMax: number
}

type Storage = Pick<StreamHost, "exec">

/** How many bytes of bodies lie between the batch that holds this position, itself included, and the tail. */
export function bytesFrom(storage: Storage, stream: StreamRecord, position: number): number {
  if (position >= stream.tail) return 0
  const [before] = [...storage.exec(BATCH_BEFORE, position)]
  return stream.bytes - (before === undefined ? 0 : wholeIn(before.bytes_to))
}

/** A page as a frame carries it: messages comma-joined, or bytes. */
export function readForFrame(storage: Storage, claim: PageClaim): LogPage<FrameBody> {
  if (!isJsonType(claim.stream.contentType)) return readForHttp(storage, claim)
  const { next, rows } = readRows(storage, BATCHES_FROM, claim)
  const texts = rows.map((row, at) => (at === 0 ? cut(textIn(row.body), row, claim) : textIn(row.body)))
  return { next, body: joinBatches(texts) }
}

/**
 * A page as HTTP carries it: a JSON array, or bytes. Text is taken out of the storage as the UTF-8 that it is
 * there; making strings of it and bytes again would take most of the time of a read.
 */
export function readForHttp(storage: Storage, claim: PageClaim): LogPage<Uint8Array<ArrayBuffer>> {
  const { next, rows } = readRows(storage, BATCHES_FROM_AS_BYTES, claim)
  const bodies = rows.map((row) => bytesIn(row.body))
  if (!isJsonType(claim.stream.contentType)) return { next, body: joinBytes(bodies) }
  const [first] = rows
  if (first !== undefined && wholeIn(first.first) < claim.position) {
    bodies[0] = new TextEncoder().encode(cut(new TextDecoder().decode(bodies[0]), first, claim))
  }
  const separated = bodies.flatMap((body, at) => (at === 0 ? [body] : [COMMA, body]))
  return { next, body: joinBytes([OPENING, ...separated, CLOSING]) }
}

function readRows(storage: Storage, sql: string, { stream, position, bytesMax }: PageClaim) {
  const rows: SqlRow[] = []
  if (position >= stream.tail) return { next: position, rows }
  const end = stream.bytes - bytesFrom(storage, stream, position) + bytesMax
  let next = position
  for (const row of storage.exec(sql, position)) {
    if (rows.length > 0 && wholeIn(row.bytes_to) > end) break
    rows.push(row)
    next = wholeIn(row.first) + wholeIn(row.count)
  }
  assert(next > position, `position ${position} of ${stream.tail} lies in a batch`)
  return { next, rows }
}

/** What of the first batch belongs to the page. */
function cut(text: string, row: SqlRow, { position }: PageClaim): string {
  return splitBatch(text, position - wholeIn(row.first))[1]
}

const OPENING = Uint8Array.of(0x5b)
const COMMA = Uint8Array.of(0x2c)
const CLOSING = Uint8Array.of(0x5d)

function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}

const BATCH_AT = "SELECT first FROM batches WHERE first <= ? ORDER BY first DESC LIMIT 1"

const BATCH_BEFORE = `SELECT bytes_to FROM batches WHERE first < (${BATCH_AT}) ORDER BY first DESC LIMIT 1`

const BATCHES_FROM = `SELECT first, count, bytes_to, body FROM batches
  WHERE first >= (${BATCH_AT}) ORDER BY first`

const BATCHES_FROM_AS_BYTES = BATCHES_FROM.replace("body", "CAST(body AS BLOB) AS body")
