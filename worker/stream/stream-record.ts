import { type Chain, EMPTY_CHAIN, readChain } from "../../shared/chain.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Lifetime } from "../../shared/lifetime.ts"
import { issueOffset, type Offset, type Place } from "../../shared/offset.ts"
import type { Microdollars } from "../../shared/prices.ts"
import { type ForkRecord, readForkRecord } from "./fork-record.ts"
import { namerAt } from "./lineage.ts"
import { type SqlRow, type SqlValue, textIn, wholeIn } from "./stream-host.ts"

/** How much of a stream is kept: what is neither too old nor followed by so many bytes. Nothing said is everything. */
export type Retention = { readonly ageMs?: number; readonly bytes?: number }

/** What a stream is, and how far it goes. */
export type StreamRecord = {
  /** Creation time in milliseconds, or more where clocks stood still: no two streams of one name share it. */
  readonly generation: number
  readonly contentType: string
  readonly closed: boolean
  readonly lifetime: Lifetime
  readonly retention: Retention
  /** What it may cost in a day; undefined when nothing was said of that. */
  readonly budget: Microdollars | undefined
  /** Who created it, where the edge knows its callers. */
  readonly creator: string | undefined
  readonly usedAt: Millis
  readonly streamSeq: string | undefined
  /** Since when it is there for its forks alone; undefined while it is there for everybody. */
  readonly deletedAt: Millis | undefined
  /** What it was forked from, if it was. */
  readonly fork: ForkRecord | undefined
  /** The place before the first message of its own: the start, or the fork point. */
  readonly base: Place
  /** The place before the first message that can still be read. */
  readonly earliest: Place
  /** The place after the last message. */
  readonly tail: Place
  /** Bytes of all bodies, those included that are no longer here. */
  readonly bytes: number
}

/** What may be changed of a stream. */
export type StreamTerms = Pick<StreamRecord, "retention" | "budget">

export type NewStream = StreamTerms &
  Pick<StreamRecord, "contentType" | "closed" | "lifetime" | "creator" | "fork" | "base">

export const START_PLACE: Place = { position: 0, chain: EMPTY_CHAIN }

/** The offset by which this stream names a place. */
export function offsetOf(stream: Pick<StreamRecord, "generation" | "fork">, place: Place): Offset {
  return issueOffset({ generation: generationAt(stream, place.position), ...place })
}

/** What a stream answers of itself. */
export type StreamState = { readonly kind: "stream"; readonly stream: StreamRecord; readonly tail: Offset }

export function stateOf(stream: StreamRecord): StreamState {
  return { kind: "stream", stream, tail: offsetOf(stream, stream.tail) }
}

/** The generation in the offset of a position: a fork has what it inherits under the offsets that it had before. */
export function generationAt(
  { generation, fork }: Pick<StreamRecord, "generation" | "fork">,
  position: number,
): number {
  return (fork && namerAt(fork.lineage, position)?.generation) ?? generation
}

/** Reads a row of `stream`, joined with the end of the last of its `batches`. */
export function recordOf(row: SqlRow): StreamRecord {
  const base = placeIn(row.base, row.base_chain)
  return {
    generation: wholeIn(row.generation),
    contentType: textIn(row.content_type),
    closed: row.closed === 1,
    lifetime: lifetimeOf(row),
    retention: {
      ...(row.retain_ms !== null && { ageMs: wholeIn(row.retain_ms) }),
      ...(row.retain_bytes !== null && { bytes: wholeIn(row.retain_bytes) }),
    },
    budget: row.budget === null ? undefined : (wholeIn(row.budget) as Microdollars), // was one when it was stored
    creator: row.creator === null ? undefined : textIn(row.creator),
    usedAt: wholeIn(row.used_at) as Millis, // was one when it was stored
    streamSeq: row.stream_seq === null ? undefined : textIn(row.stream_seq),
    deletedAt: row.deleted_at === null ? undefined : (wholeIn(row.deleted_at) as Millis), // was one then
    fork: row.fork === null ? undefined : readForkRecord(textIn(row.fork)),
    base,
    earliest: placeIn(row.earliest, row.earliest_chain),
    tail: row.tail === null ? base : placeIn(row.tail, row.chain),
    bytes: row.bytes_to === null ? 0 : wholeIn(row.bytes_to),
  }
}

export function placeIn(position: SqlValue | undefined, chain: SqlValue | undefined): Place {
  return { position: wholeIn(position), chain: chainIn(chain) }
}

export function chainIn(value: SqlValue | undefined): Chain {
  const chain = readChain(textIn(value))
  if (chain === undefined) throw new Error("Headwater bug: a column of chains holds chains")
  return chain
}

function lifetimeOf(row: SqlRow): Lifetime {
  if (row.ttl_s !== null) return { kind: "idle", seconds: wholeIn(row.ttl_s) }
  if (row.expires_at === null) return { kind: "endless" }
  return { kind: "until", at: wholeIn(row.expires_at) as Millis, text: textIn(row.expires_text) } // was one then
}
