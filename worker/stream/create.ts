import type { AppendBody, RawBody } from "../../shared/append.ts"
import { mediaType } from "../../shared/http.ts"
import { isSameLifetime, type Lifetime } from "../../shared/lifetime.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { StreamRecord } from "./stream-log.ts"

/** What a creation asks for. */
export type CreateClaim = {
  readonly contentType: string
  readonly lifetime: Lifetime
  readonly closed: boolean
}

export type CreateVerdict =
  /** `body` holds the first messages, if any. */
  | { readonly kind: "create"; readonly body: AppendBody | undefined }
  | { readonly kind: "exists" }
  | CreateFault

export type CreateFault =
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "malformed"; readonly reason: string }
  | { readonly kind: "too-large"; readonly bytes: number }

/**
 * Whether a stream may be made. One that is there already with the same properties is as good, whatever it
 * holds.
 */
export function judgeCreate(
  stream: StreamRecord | undefined,
  claim: CreateClaim,
  body: RawBody,
): CreateVerdict {
  if (stream !== undefined) return judgeExisting(stream, claim)
  if (body.bytes > LIMITS.appendBytesMax) return { kind: "too-large", bytes: body.bytes }
  if (body.bytes === 0) return { kind: "create", body: undefined }
  const decoded = body.decode(claim.contentType)
  if (!decoded.ok) return { kind: "malformed", reason: decoded.reason }
  return { kind: "create", body: decoded.value.count === 0 ? undefined : decoded.value }
}

function judgeExisting(stream: StreamRecord, claim: CreateClaim): CreateVerdict {
  if (mediaType(stream.contentType) !== mediaType(claim.contentType)) {
    return conflict(`holds ${stream.contentType}, and ${claim.contentType} was asked for`)
  }
  if (!isSameLifetime(stream.lifetime, claim.lifetime))
    return conflict("has another TTL or another time of expiry")
  if (stream.closed !== claim.closed) return conflict(stream.closed ? "is closed" : "is not closed")
  return { kind: "exists" }
}

function conflict(what: string): CreateVerdict {
  return { kind: "conflict", reason: `The stream exists and ${what}.` }
}
