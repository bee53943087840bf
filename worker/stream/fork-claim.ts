import type { AppendBody } from "../../shared/append.ts"
import { isJsonType } from "../../shared/http.ts"
import { isSameLifetime, type Lifetime } from "../../shared/lifetime.ts"
import { type Offset, type Place, REFERENCE_START, readIssuedOffset, START } from "../../shared/offset.ts"
import type { Microdollars } from "../../shared/prices.ts"
import { type CreateFault, conflict, conflictOfKind } from "./create.ts"
import type { ForkId } from "./fork-record.ts"
import type { Lineage } from "./lineage.ts"
import type { Retention, StreamRecord } from "./stream-record.ts"

/** What the creation of a fork asks for. What it does not say is as in the source. */
export type ForkClaim = {
  readonly source: string
  readonly contentType: string | undefined
  readonly lifetime: Lifetime | undefined
  readonly retention: Retention
  readonly budget?: Microdollars | undefined
  readonly closed: boolean
  /** Who forks, as the edge has found out; undefined when access is open. */
  readonly principal: string | undefined
  /** Where the fork leaves its source; undefined for the tail. */
  readonly offset: string | undefined
  /** So many messages, or bytes in a stream of bytes, past the offset. */
  readonly sub: number
}

/** A place in the source, and the bytes behind it with which the fork begins when it leaves inside an append. */
export type ForkPoint = { readonly offset: Offset; readonly prefix: Uint8Array<ArrayBuffer> | undefined }

/** What a fork asks of its source. */
export type ForkAsk = {
  readonly id: ForkId
  readonly path: string
  readonly source: string
  readonly contentType: string | undefined
  readonly offset: Offset
}

/** The source keeps what is before `base` for as long as the fork needs it, or its own retention allows. */
export type ForkGrant = {
  readonly kind: "granted"
  readonly contentType: string
  readonly lifetime: Lifetime
  readonly base: Place
  readonly lineage: Lineage
}

/** A fork that is there already is as good as a new one if it was forked from the same stream at the same point. */
export function conflictWithFork(stream: StreamRecord, claim: ForkClaim): CreateFault | undefined {
  const { fork, lifetime } = stream
  if (fork === undefined) return conflict("is not a fork")
  if (fork.source !== claim.source) return conflict(`is a fork of ${fork.source}`)
  const isSame =
    claim.lifetime === undefined ? fork.inheritsLifetime : isSameLifetime(lifetime, claim.lifetime)
  if (!isSame) return conflict("has another TTL or time of expiry")
  if (!isSamePoint(stream, fork.asked, claim)) return conflict("was forked at another point")
  return conflictOfKind(stream, claim)
}

/** Whoever says no offset asks for no certain point. */
function isSamePoint(stream: StreamRecord, asked: AskedPoint, { offset, sub }: ForkClaim): boolean {
  const position = offset === undefined ? asked.position : positionIn(offset)
  if (position === undefined) return false
  if (isJsonType(stream.contentType)) return offset === undefined || position + sub === asked.position
  return position === asked.position && sub === asked.sub
}

type AskedPoint = { readonly position: number; readonly sub: number }

function positionIn(offset: string): number | undefined {
  return offset === START || offset === REFERENCE_START ? 0 : readIssuedOffset(offset)?.position
}

/** The point as `isSamePoint` compares it. Bytes that reach up to the end of an append leave nothing to copy. */
export function askedPoint(
  { sub }: ForkClaim,
  contentType: string,
  point: ForkPoint,
  base: Place,
): AskedPoint {
  if (isJsonType(contentType) || sub === 0) return { position: base.position, sub: 0 }
  return { position: point.prefix === undefined ? base.position - 1 : base.position, sub }
}

/** The part of an append with which a fork begins, as an append of its own. */
export function prefixBody({ prefix }: ForkPoint): AppendBody | undefined {
  return prefix && { data: prefix, count: 1, bytes: prefix.length }
}
