import type { AppendBody, AppendBounds, RawBody } from "../../shared/append.ts"
import type { TooLarge } from "../../shared/append-reply.ts"
import { foreignSource, foreignSourceMessage } from "../../shared/attribution.ts"
import { mediaType } from "../../shared/http.ts"
import { isSameLifetime, type Lifetime } from "../../shared/lifetime.ts"
import type { Microdollars } from "../../shared/prices.ts"
import type { Retention, StreamRecord, StreamState } from "./stream-record.ts"

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
  /** There is no stream that could be forked. */
  | { readonly kind: "no-source"; readonly reason: string }
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "foreign-source"; readonly reason: string }
  | ({ readonly kind: "too-large" } & TooLarge)

export type CreateOutcome = (StreamState & { readonly isNew: boolean }) | CreateFault

export const LEFT_TO_FORKS: CreateFault = {
  kind: "conflict",
  reason: "The stream was deleted, and its name is free when its forks are gone.",
}

/** A stream that is there already is as good as a new one, whatever it holds, unless it has other properties. */
export function conflictWith(stream: StreamRecord, claim: CreateClaim): CreateFault | undefined {
  if (stream.fork !== undefined) return conflict(`is a fork of ${stream.fork.source}`)
  if (!isSameLifetime(stream.lifetime, claim.lifetime)) return conflict("has another TTL or time of expiry")
  return conflictOfKind(stream, claim)
}

/** The properties that a fork has like any other stream. One that says no type takes that of its source. */
export function conflictOfKind(
  stream: StreamRecord,
  { contentType, retention, budget, closed }: KindClaim,
): CreateFault | undefined {
  if (contentType !== undefined && mediaType(stream.contentType) !== mediaType(contentType)) {
    return conflict(`holds ${stream.contentType}, and ${contentType} was asked for`)
  }
  if (!isKeptAsAsked(stream.retention, retention)) return conflict("keeps another part of its past")
  if (budget !== undefined && budget !== stream.budget) return conflict("has another budget")
  if (stream.closed !== closed) return conflict(stream.closed ? "is closed" : "is not closed")
  return undefined
}

type KindClaim = Pick<CreateClaim, "retention" | "budget" | "closed"> & {
  readonly contentType: string | undefined
}

/** Whoever says nothing of retention, or of a budget, asks for none in particular. */
function isKeptAsAsked(kept: Retention, { ageMs = kept.ageMs, bytes = kept.bytes }: Retention): boolean {
  return kept.ageMs === ageMs && kept.bytes === bytes
}

export function conflict(what: string): CreateFault {
  return { kind: "conflict", reason: `The stream exists and ${what}.` }
}

/** What a new stream begins with: the first messages, or none. */
export type Beginning = { readonly kind: "beginning"; readonly body: AppendBody | undefined }

export function beginningOf(
  { contentType, principal }: Pick<CreateClaim, "contentType" | "principal">,
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
