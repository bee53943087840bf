import { foreignSource } from "./attribution.ts"
import { type Chain, extendChain } from "./chain.ts"
import type { Decoded } from "./decoded.ts"
import type { FrameBody } from "./frames.ts"
import { mediaType } from "./http.ts"
import type { Bounds } from "./limits.ts"
import { type Offset, START } from "./offset.ts"
import type { Microdollars } from "./prices.ts"
import { admit, type ProducerMark } from "./producer.ts"

/** What an append says of itself, by headers or in a frame. */
export type AppendClaim = {
  readonly contentType: string | undefined
  readonly producer: ProducerClaim | undefined
  readonly streamSeq: string | undefined
  /** Append only if the stream ends here. */
  readonly expectedOffset: Offset | undefined
  readonly close: boolean
  /** Who appends, as the edge has found out; undefined when access is open. */
  readonly principal: string | undefined
}

export type ProducerClaim = ProducerMark & { readonly id: string }

/**
 * The body of an append once it is known to fit the stream: so many messages (of bytes: one) in so many
 * bytes.
 */
export type AppendBody = { readonly data: FrameBody; readonly count: number; readonly bytes: number }

/** A body that has not been looked into yet. Its messages may nest `jsonDepthMax` levels deep. */
export type RawBody = {
  readonly bytes: number
  decode(contentType: string, jsonDepthMax: number): Decoded<AppendBody>
}

/** The bounds that the append rule holds to. */
export type AppendBounds = Pick<Bounds, "appendBytesMax" | "jsonDepthMax" | "epochJumpMax">

/** All that the append rule must know of a stream. */
export type StreamFacts = {
  readonly contentType: string
  readonly closed: boolean
  readonly tail: Offset
  readonly isEmpty: boolean
  /** The greatest `Stream-Seq` so far. Its scope is the stream. */
  readonly streamSeq: string | undefined
  /** What is known of the producer in the claim. */
  readonly producer: ProducerFacts | undefined
  /** Why nothing is added to the stream for now. */
  readonly pause?: Pause | undefined
  readonly bounds: AppendBounds
}

/** A stream has cost what it may cost in a day, and takes appends again later. `resumesAt` is that moment, RFC 3339. */
export type Pause = { readonly waitMs: number; readonly resumesAt: string; readonly budget: Microdollars }

export type ProducerFacts = ProducerMark & {
  /** The principal that first used the producer's id; undefined when that was nobody the edge knew. */
  readonly owner: string | undefined
  /** Where batch `seq` of this epoch stands, if that is remembered: the last ones are. */
  batch(seq: number): TakenBatch | undefined
}

/** Where a batch stands that was taken, and the chains before and after it, which only its own messages join. */
export type TakenBatch = {
  readonly from: Offset
  readonly next: Offset
  readonly before: Chain
  readonly after: Chain
}

/** Whether a batch that comes again is the one that was taken: `unknown` when that is no longer remembered. */
export type Likeness = "same" | "other" | "unknown"

/** What becomes of an append. Only `store` and `close` change the stream. */
export type AppendVerdict =
  | { readonly kind: "store"; readonly body: AppendBody }
  | { readonly kind: "close" }
  | {
      readonly kind: "duplicate"
      readonly known: ProducerMark
      readonly batch: TakenBatch | undefined
      readonly likeness: Likeness
    }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "too-large"; readonly bytes: number; readonly appendBytesMax: number }
  | { readonly kind: "closed" }
  | { readonly kind: "wrong-type"; readonly came: string }
  /** An event says that somebody else has made it. */
  | { readonly kind: "foreign-source"; readonly principal: string; readonly came: string }
  | { readonly kind: "stale-stream-seq"; readonly last: string; readonly came: string }
  | { readonly kind: "fenced"; readonly epoch: number }
  | { readonly kind: "bad-start" }
  | { readonly kind: "epoch-jump"; readonly epoch: number; readonly epochJumpMax: number }
  | { readonly kind: "foreign-producer" }
  | { readonly kind: "unexpected-tail"; readonly expected: Offset }
  | { readonly kind: "gap"; readonly expectedSeq: number; readonly receivedSeq: number }
  | ({ readonly kind: "over-budget" } & Pause)

/**
 * The one rule for appends, whatever carried them. First what is wrong with the append wins: a closed stream,
 * then the content type, the body, who made its events, the producer's number, the expected offset, `Stream-Seq`, and
 * last whether the stream takes anything for now. A batch that the stream has taken before is a duplicate even when the
 * stream is closed or longer by now: it is stored, and saying otherwise would make its producer send it somewhere else.
 */
export function judge(stream: StreamFacts, claim: AppendClaim, body: RawBody): AppendVerdict {
  const { appendBytesMax, jsonDepthMax } = stream.bounds
  if (body.bytes > appendBytesMax) return { kind: "too-large", bytes: body.bytes, appendBytesMax }
  if (body.bytes === 0 && !claim.close)
    return malformed("An append has a body, or closes the stream; this one is empty.")
  if (stream.closed) return judgeAfterClose(stream, claim, body)
  if (body.bytes === 0) return judgeTurn(stream, claim, undefined) ?? { kind: "close" }
  if (claim.contentType === undefined) {
    return malformed(`An append has a Content-Type, here ${stream.contentType}; none came.`)
  }
  if (mediaType(claim.contentType) !== mediaType(stream.contentType)) {
    return { kind: "wrong-type", came: claim.contentType }
  }
  const decoded = body.decode(stream.contentType, jsonDepthMax)
  if (!decoded.ok) return malformed(decoded.reason)
  if (decoded.value.count === 0)
    return malformed("An append holds at least one message; an empty array came.")
  const verdict = judgeSource(claim, decoded.value) ?? judgeTurn(stream, claim, decoded.value)
  if (verdict !== undefined) return verdict
  return stream.pause ? { kind: "over-budget", ...stream.pause } : { kind: "store", body: decoded.value }
}

function judgeAfterClose(stream: StreamFacts, claim: AppendClaim, body: RawBody): AppendVerdict {
  const decoded = body.bytes === 0 ? undefined : body.decode(stream.contentType, stream.bounds.jsonDepthMax)
  const verdict = judgeProducer(stream, claim, decoded?.ok ? decoded.value : undefined)
  if (verdict?.kind === "duplicate" || verdict?.kind === "foreign-producer") return verdict
  return claim.producer === undefined && body.bytes === 0 ? { kind: "close" } : { kind: "closed" }
}

/** Undefined when it is this append's turn: nothing has come in between that its sender did not know of. */
function judgeTurn(
  stream: StreamFacts,
  claim: AppendClaim,
  body: AppendBody | undefined,
): AppendVerdict | undefined {
  return judgeProducer(stream, claim, body) ?? judgeTail(stream, claim) ?? judgeStreamSeq(stream, claim)
}

/** Messages have sources in JSON streams only, whose bodies are text. */
function judgeSource({ principal }: AppendClaim, { data }: AppendBody): AppendVerdict | undefined {
  if (principal === undefined || typeof data !== "string") return undefined
  const came = foreignSource(principal, data)
  return came === undefined ? undefined : { kind: "foreign-source", principal, came }
}

/** Undefined when the producer rule has nothing against it. */
function judgeProducer(
  { producer: known, bounds }: StreamFacts,
  { producer, principal }: AppendClaim,
  body: AppendBody | undefined,
): AppendVerdict | undefined {
  if (producer === undefined) return undefined
  if (known?.owner !== undefined && known.owner !== principal) return { kind: "foreign-producer" }
  const admission = admit(known, producer, bounds.epochJumpMax)
  switch (admission.kind) {
    case "accept":
      return undefined
    case "gap":
      return { ...admission, receivedSeq: producer.seq }
    case "duplicate": {
      const batch = known?.batch(producer.seq)
      return { ...admission, batch, likeness: likenessOf(batch, body) }
    }
    default:
      return admission
  }
}

function likenessOf(batch: TakenBatch | undefined, body: AppendBody | undefined): Likeness {
  if (batch === undefined) return "unknown"
  return extendChain(batch.before, body?.data ?? "") === batch.after ? "same" : "other"
}

function judgeTail(stream: StreamFacts, { expectedOffset }: AppendClaim): AppendVerdict | undefined {
  if (expectedOffset === undefined || expectedOffset === stream.tail) return undefined
  if (expectedOffset === START && stream.isEmpty) return undefined
  return { kind: "unexpected-tail", expected: expectedOffset }
}

function judgeStreamSeq(
  { streamSeq: last }: StreamFacts,
  { streamSeq: came }: AppendClaim,
): AppendVerdict | undefined {
  if (came === undefined || last === undefined || came > last) return undefined
  return { kind: "stale-stream-seq", last, came }
}

function malformed(reason: string): AppendVerdict {
  return { kind: "malformed", reason }
}
