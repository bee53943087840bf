import { bad, type Decoded, good } from "../../shared/decoded.ts"
import { HEADER, saysTrue } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Lifetime } from "../../shared/lifetime.ts"
import type { Bounds } from "../../shared/limits.ts"
import { type Microdollars, parseDollars } from "../../shared/prices.ts"
import type { CreateClaim } from "../stream/create.ts"
import { offsetOf, type Retention, type StreamState } from "../stream/stream-record.ts"

const DEFAULT_TYPE = "application/octet-stream" // the protocol's, section 5.1

const CONTENT_TYPE = /^[!#$&^_.+\-\w]+\/[!#$&^_.+\-\w]+ *(;[ -~]*)?$/

/** What every creation says, forks included. What is left out depends on which of them it is. */
export type StreamClaim = Omit<CreateClaim, "contentType" | "lifetime"> & {
  readonly contentType: string | undefined
  readonly lifetime: Lifetime | undefined
}

/** What is asked for when a new stream is. */
export function createClaim({ contentType, lifetime, ...rest }: StreamClaim): CreateClaim {
  return { contentType: contentType ?? DEFAULT_TYPE, lifetime: lifetime ?? { kind: "endless" }, ...rest }
}

/** Reads what a PUT of this principal asks for. */
export function streamClaim(
  headers: Headers,
  { contentTypeLengthMax }: Pick<Bounds, "contentTypeLengthMax">,
  principal: string | undefined,
): Decoded<StreamClaim> {
  const contentType = headers.get("content-type") || undefined
  if (contentType !== undefined && !CONTENT_TYPE.test(contentType))
    return bad(`Content-Type is a media type; ${contentType} came.`)
  if (contentType !== undefined && contentType.length > contentTypeLengthMax) {
    return bad(`Content-Type has at most ${contentTypeLengthMax} characters; ${contentType.length} came.`)
  }
  const lifetime = lifetimeIn(headers.get(HEADER.ttl), headers.get(HEADER.expiresAt))
  if (!lifetime.ok) return lifetime
  const retention = retentionIn(headers)
  if (!retention.ok) return retention
  const budget = budgetIn(headers)
  if (!budget.ok) return budget
  const closed = saysTrue(headers.get(HEADER.closed))
  const terms = { lifetime: lifetime.value, retention: retention.value, budget: budget.value }
  return good({ contentType, ...terms, closed, principal })
}

/** Reads how much of a stream is to be kept. */
export function retentionIn(headers: Headers): Decoded<Retention> {
  const [age, bytes] = [headers.get(HEADER.retentionAge), headers.get(HEADER.retentionBytes)]
  for (const [name, value] of [
    ["Stream-Retention-Age", age],
    ["Stream-Retention-Bytes", bytes],
  ]) {
    if (value != null && !/^[1-9][0-9]{0,12}$/.test(value)) {
      return bad(`${name} is a whole number above 0, without sign or leading zero; ${value} came.`)
    }
  }
  return good({
    ...(age !== null && { ageMs: Number(age) * 1_000 }),
    ...(bytes !== null && { bytes: Number(bytes) }),
  })
}

/** Reads what a stream may cost in a day. */
export function budgetIn(headers: Headers): Decoded<Microdollars | undefined> {
  const text = headers.get(HEADER.budget)
  if (text === null) return good(undefined)
  const dollars = parseDollars(text)
  return dollars.ok ? dollars : bad(`Stream-Budget is ${dollars.reason}`)
}

function lifetimeIn(ttl: string | null, expiresAt: string | null): Decoded<Lifetime | undefined> {
  if (ttl !== null && expiresAt !== null)
    return bad("A stream has Stream-TTL or Stream-Expires-At; both came.")
  if (ttl !== null) return idleLifetime(ttl)
  return expiresAt === null ? good(undefined) : untilLifetime(expiresAt)
}

/** Eleven digits are three thousand years, and far from where milliseconds lose precision. */
function idleLifetime(text: string): Decoded<Lifetime> {
  if (!/^(0|[1-9][0-9]{0,10})$/.test(text)) {
    return bad(`Stream-TTL is seconds, a whole number without sign or leading zero; ${text} came.`)
  }
  return good({ kind: "idle", seconds: Number(text) })
}

const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/

function untilLifetime(text: string): Decoded<Lifetime> {
  const at = RFC_3339.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN
  if (Number.isNaN(at)) return bad(`Stream-Expires-At is a time of RFC 3339; ${text} came.`)
  return good({ kind: "until", at: at as Millis, text })
}

/** What a stream says of itself in headers. */
export function stateHeaders({ stream, tail }: StreamState): Record<string, string> {
  const { lifetime, retention, earliest } = stream
  return {
    "Content-Type": stream.contentType,
    [HEADER.nextOffset]: tail,
    ...(stream.closed && { [HEADER.closed]: "true" }),
    ...(lifetime.kind === "idle" && { [HEADER.ttl]: String(lifetime.seconds) }),
    ...(lifetime.kind === "until" && { [HEADER.expiresAt]: lifetime.text }),
    ...(retention.ageMs !== undefined && { [HEADER.retentionAge]: String(retention.ageMs / 1_000) }),
    ...(retention.bytes !== undefined && { [HEADER.retentionBytes]: String(retention.bytes) }),
    ...(earliest.position > 0 && { [HEADER.earliestOffset]: offsetOf(stream, earliest) }),
  }
}
