import { assert } from "../../shared/assert.ts"
import { joinBatches, splitBatch } from "../../shared/batch.ts"
import { type Chain, extendChain } from "../../shared/chain.ts"
import type { FrameBody } from "../../shared/frames.ts"
import { isJsonType } from "../../shared/http.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Place } from "../../shared/offset.ts"
import { arrayOf, joinBytes } from "../page-body.ts"
import type { SegmentIndex } from "../segments/segment-index.ts"
import { bytesIn, type SqlRow, type SqlValue, type StreamHost, textIn, wholeIn } from "./stream-host.ts"
import { chainIn, type StreamRecord } from "./stream-record.ts"

/** What lies between a place and `next`. */
export type LogPage<Body> = { readonly next: Place; readonly body: Body }

/** A place to read from, where to stop, and how many bytes of batches a page may have. It has one batch at least. */
export type PageClaim = {
  readonly stream: StreamRecord
  readonly place: Place
  readonly until: number
  readonly bytesMax: number
}

type Storage = Pick<StreamHost, "exec">

/**
 * How many bytes of bodies lie between the batch that holds this position, itself included, and the tail. Without end
 * when that batch is not here.
 */
export function bytesFrom(storage: Storage, stream: StreamRecord, position: number): number {
  if (position >= stream.tail.position) return 0
  return stream.bytes - (batchAt(storage, position)?.bytesBefore ?? Number.NEGATIVE_INFINITY)
}

/** The batch that holds this position, and how many bytes come before it; undefined when it is not here. */
function batchAt(storage: Storage, position: number) {
  const [row] = [...storage.exec(BATCH_AT, position)]
  return row && { first: wholeIn(row.first), bytesBefore: wholeIn(row.bytes) }
}

/** The chain at a position, worked out from what is before it; undefined inside a segment, which only itself tells. */
export function chainAt(
  storage: Storage,
  segments: Pick<SegmentIndex, "endingAt">,
  stream: StreamRecord,
  position: number,
): Chain | undefined {
  if (position === stream.tail.position) return stream.tail.chain
  if (position === stream.earliest.position) return stream.earliest.chain
  if (position === stream.base.position) return stream.base.chain
  const [row] = [...storage.exec(BATCH_ENDING, position)]
  if (row === undefined) return segments.endingAt(position)?.chain
  const [first, count] = [wholeIn(row.first), wholeIn(row.count)]
  if (first + count === position) return chainIn(row.chain)
  const before = chainAt(storage, segments, stream, first)
  const [{ body } = { body: "" }] = [...storage.exec("SELECT body FROM batches WHERE first = ?", first)]
  return before && extendChain(before, splitBatch(textIn(body), position - first)[0])
}

/** A page as a frame carries it: messages comma-joined, or bytes. Undefined when its first batch is not here. */
export function readForFrame(storage: Storage, claim: PageClaim): LogPage<FrameBody> | undefined {
  if (!isJsonType(claim.stream.contentType)) return readForHttp(storage, claim)
  const rows = readRows(storage, BATCHES, claim)
  if (rows === undefined) return undefined
  const cut = cutRows(rows, claim, textIn)
  const texts = rows.map((row, at) => cut.get(at) ?? textIn(row.body))
  return { next: endOf(rows, claim, cut), body: joinBatches(texts) }
}

/**
 * A page as HTTP carries it: a JSON array, or bytes. Text is taken out of the storage as the UTF-8 that it is
 * there; making strings of it and bytes again would take most of the time of a read. Undefined when its first batch is
 * not here.
 */
export function readForHttp(
  storage: Storage,
  claim: PageClaim,
): LogPage<Uint8Array<ArrayBuffer>> | undefined {
  const rows = readRows(storage, BATCHES_AS_BYTES, claim)
  if (rows === undefined) return undefined
  if (!isJsonType(claim.stream.contentType)) {
    return { next: endOf(rows, claim), body: joinBytes(rows.map((row) => bytesIn(row.body))) }
  }
  const cut = cutRows(rows, claim, (body) => new TextDecoder().decode(bytesIn(body)))
  const bodies = rows.map((row, at) => {
    const text = cut.get(at)
    return text === undefined ? bytesIn(row.body) : new TextEncoder().encode(text)
  })
  return { next: endOf(rows, claim, cut), body: arrayOf(bodies) }
}

function readRows(
  storage: Storage,
  sql: string,
  { stream, place, until, bytesMax }: PageClaim,
): SqlRow[] | undefined {
  if (place.position >= until) return []
  const start = batchAt(storage, place.position)
  if (start === undefined) return undefined
  let [last, count] = [start.first, 1]
  for (const { first, bytes_to: bytesTo } of walk(storage, SIZES, last)) {
    if (wholeIn(first) >= until || wholeIn(bytesTo) > start.bytesBefore + bytesMax) break
    if (count++ >= LIMITS.pageRowsMax) break
    last = wholeIn(first)
  }
  const found = [...storage.exec(sql, start.first, last)]
  assert(found.length > 0, `position ${place.position} of ${stream.tail.position} lies in a batch`)
  return found
}

/**
 * Rows behind a key, few at a time. Whoever stops half-way leaves no statement open: one that is keeps SQLite from ever
 * shortening its write-ahead log, which is read when the object wakes.
 */
export function* walk(storage: Storage, sql: string, behind: number): Generator<SqlRow> {
  for (let rows: SqlRow[] | undefined, at = behind; rows === undefined || rows.length === WALK_ROWS; ) {
    rows = [...storage.exec(sql, at, WALK_ROWS)]
    yield* rows
    at = wholeIn(rows.at(-1)?.first ?? at)
  }
}

const WALK_ROWS = 500

/**
 * What is left, by row, of the batches that reach out of the page. Only the first and the last one can, and only text:
 * of bytes, a batch is one message.
 */
function cutRows(
  rows: readonly SqlRow[],
  { place, until }: PageClaim,
  textOf: (body: SqlValue | undefined) => string,
): ReadonlyMap<number, string> {
  const cut = new Map<number, string>()
  for (const at of new Set([0, rows.length - 1])) {
    const row = rows[at]
    if (row === undefined) continue
    const [first, count] = [wholeIn(row.first), wholeIn(row.count)]
    const [before, end] = [place.position - first, until - first]
    if (before <= 0 && end >= count) continue
    const upToEnd = end >= count ? textOf(row.body) : splitBatch(textOf(row.body), end)[0]
    cut.set(at, splitBatch(upToEnd, before)[1])
  }
  return cut
}

/** Where a page of these rows ends. The chain inside a batch is worked out from what the page holds of it. */
function endOf(
  rows: readonly SqlRow[],
  { place, until }: PageClaim,
  cut: ReadonlyMap<number, string> = new Map(),
): Place {
  const last = rows.at(-1)
  if (last === undefined) return place
  const position = wholeIn(last.first) + wholeIn(last.count)
  if (position <= until) return { position, chain: chainIn(last.chain) }
  const before = rows.length === 1 ? place.chain : chainIn(rows.at(-2)?.chain)
  return { position: until, chain: extendChain(before, cut.get(rows.length - 1) ?? "") }
}

const BATCH_AT = `SELECT first, bytes_to - length(CAST(body AS BLOB)) AS bytes FROM batches
  WHERE first <= ? ORDER BY first DESC LIMIT 1`

const BATCH_ENDING = "SELECT first, count, chain FROM batches WHERE first < ? ORDER BY first DESC LIMIT 1"

const SIZES = "SELECT first, bytes_to FROM batches WHERE first > ? ORDER BY first LIMIT ?"

const BATCHES = `SELECT first, count, bytes_to, chain, body FROM batches
  WHERE first BETWEEN ? AND ? ORDER BY first`

const BATCHES_AS_BYTES = BATCHES.replace("body", "CAST(body AS BLOB) AS body")
