import type { AppendBody, AppendBounds, RawBody } from "../../shared/append.ts"
import type { TooLarge } from "../../shared/append-reply.ts"
import { foreignSource, foreignSourceMessage } from "../../shared/attribution.ts"
import { mediaType } from "../../shared/http.ts"
import { isSameLifetime, type Lifetime } from "../../shared/lifetime.ts"
import type { Microdollars } from "../../shared/prices.ts"
import type { Retention, StreamRecord } from "./stream-record.ts"

/** What a creation asks for. */
export type CreateClaim = {
  readonly contentType: string
  readonly lifetime: Lifetime
  readonly retention: Retention
  readonly closed: boolean
  readonly budget?: Microdollars | undefined
  /** Who creates, as the edge has found out; undefined when access is open. */
  readonly principal: string | undefined
}

/** Why there will be no such stream. */
export type CreateFault =
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "foreign-source"; readonly reason: string }
  | ({ readonly kind: "too-large" } & TooLarge)

/** A stream that is there already is as good as a new one, whatever it holds, unless it has other properties. */
export function conflictWith(stream: StreamRecord, claim: CreateClaim): CreateFault | undefined {
  if (mediaType(stream.contentType) !== mediaType(claim.contentType)) {
    return conflict(`holds ${stream.contentType}, and ${claim.contentType} was asked for`)
  }
  if (!isSameLifetime(stream.lifetime, claim.lifetime)) return conflict("has another TTL or time of expiry")
  if (!isKeptAsAsked(stream.retention, claim.retention)) return conflict("keeps another part of its past")
  if (claim.budget !== undefined && claim.budget !== stream.budget) return conflict("has another budget")
  if (stream.closed !== claim.closed) return conflict(stream.closed ? "is closed" : "is not closed")
  return undefined
}

/** Whoever says nothing of retention, or of a budget, asks for none in particular. */
function isKeptAsAsked(kept: Retention, { ageMs = kept.ageMs, bytes = kept.bytes }: Retention): boolean {
  return kept.ageMs === ageMs && kept.bytes === bytes
}

function conflict(what: string): CreateFault {
  return { kind: "conflict", reason: `The stream exists and ${what}.` }
}

/** What a new stream begins with: the first messages, or none. */
export type Beginning = { readonly kind: "beginning"; readonly body: AppendBody | undefined }

export function beginningOf(
  { contentType, principal }: CreateClaim,
  body: RawBody,
  { appendBytesMax, jsonDepthMax }: AppendBounds,
): Beginning | CreateFault {
  if (body.bytes > appendBytesMax) return { kind: "too-large", bytes: body.bytes, appendBytesMax }
  if (body.bytes === 0) return { kind: "beginning", body: undefined }
  const decoded = body.decode(contentType, jsonDepthMax)
  if (!decoded.ok) return { kind: "malformed", reason: decoded.reason }
  const foreign = sourceFault(principal, decoded.value)
  if (foreign !== undefined) return { kind: "foreign-source", reason: foreign }
  return { kind: "beginning", body: decoded.value.count === 0 ? undefined : decoded.value }
}

/** The first messages are attributed like all others. */
function sourceFault(principal: string | undefined, { data }: AppendBody): string | undefined {
  if (principal === undefined || typeof data !== "string") return undefined
  const came = foreignSource(principal, data)
  return came === undefined ? undefined : foreignSourceMessage(principal, came)
}
