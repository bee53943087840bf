import type { AppendBody, RawBody } from "../../shared/append.ts"
import { extendChain } from "../../shared/chain.ts"
import { mediaType } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import { isSameLifetime, type Lifetime } from "../../shared/lifetime.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { StreamLog } from "./stream-log.ts"
import type { NewStream, StreamRecord, StreamState } from "./stream-record.ts"

/** What a creation asks for. */
export type CreateClaim = {
  readonly contentType: string
  readonly lifetime: Lifetime
  readonly closed: boolean
}

/** Why there will be no such stream. */
export type CreateFault =
  /** There is no stream that could be forked. */
  | { readonly kind: "no-source"; readonly reason: string }
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "too-large"; readonly bytes: number }

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
  { contentType, closed }: { readonly contentType: string | undefined; readonly closed: boolean },
): CreateFault | undefined {
  if (contentType !== undefined && mediaType(stream.contentType) !== mediaType(contentType)) {
    return conflict(`holds ${stream.contentType}, and ${contentType} was asked for`)
  }
  if (stream.closed !== closed) return conflict(stream.closed ? "is closed" : "is not closed")
  return undefined
}

export function conflict(what: string): CreateFault {
  return { kind: "conflict", reason: `The stream exists and ${what}.` }
}

/** What a new stream begins with: the first messages, or none. */
export type Beginning = { readonly kind: "beginning"; readonly body: AppendBody | undefined }

export function beginningOf(
  { contentType }: Pick<CreateClaim, "contentType">,
  body: RawBody,
): Beginning | CreateFault {
  if (body.bytes > LIMITS.appendBytesMax) return { kind: "too-large", bytes: body.bytes }
  if (body.bytes === 0) return { kind: "beginning", body: undefined }
  const decoded = body.decode(contentType)
  if (!decoded.ok) return { kind: "malformed", reason: decoded.reason }
  return { kind: "beginning", body: decoded.value.count === 0 ? undefined : decoded.value }
}

/** Writes a stream with its first messages, those that there are. The caller holds the transaction. */
export function begin(
  log: StreamLog,
  stream: NewStream,
  bodies: readonly (AppendBody | undefined)[],
  now: Millis,
): StreamRecord {
  let record = log.create(stream, now)
  for (const body of bodies) {
    if (body === undefined) continue
    record = log.append(record, { ...body, chain: extendChain(record.tail.chain, body.data) }, now)
  }
  return record
}
