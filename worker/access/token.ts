import { errors, type JWTPayload, jwtVerify } from "jose"
import { bad, type Decoded, good } from "../../shared/decoded.ts"
import { decodeGrants, type Grants } from "../../shared/grants.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { TokenRule } from "./config.ts"
import { KeysUnavailable, keyFinder } from "./keys.ts"

/** What a token says that is believed. */
export type TokenClaims = {
  readonly principal: string
  readonly token: string | undefined
  readonly issuedAt: Millis
  readonly until: Millis
  readonly grants: Grants
}

export type Verification =
  | { readonly kind: "known"; readonly claims: TokenClaims }
  | { readonly kind: "refused"; readonly reason: string }
  /** Nobody can tell now: the keys are elsewhere, and do not come. */
  | { readonly kind: "unavailable"; readonly reason: string }

/** How long, how many and how late what a token says may be. */
export type TokenBounds = Pick<
  Bounds,
  | "tokenLengthMax"
  | "principalLengthMax"
  | "grantsMax"
  | "pathLengthMax"
  | "tokenLifeMsMax"
  | "clockToleranceMs"
>

export type Verifier = (token: string, now: Millis) => Promise<Verification>

/** Makes the judge of tokens. Signature, issuer, audience and times are jose's to check, the rest is ours. */
export function verifierOf({ issuer, audience, algorithms, keys }: TokenRule, bounds: TokenBounds): Verifier {
  const find = keyFinder(keys)
  const fixed = { issuer, audience, algorithms: [...algorithms], requiredClaims: ["exp", "sub"] }
  const clockTolerance = bounds.clockToleranceMs / 1000
  return async (token, now) => {
    if (token.length > bounds.tokenLengthMax)
      return refused(`A token has at most ${bounds.tokenLengthMax} characters; one of ${token.length} came.`)
    try {
      const { payload } = await jwtVerify(token, find, {
        ...fixed,
        clockTolerance,
        currentDate: new Date(now),
      })
      const claims = claimsOf(payload, now, bounds)
      return claims.ok ? { kind: "known", claims: claims.value } : refused(claims.reason)
    } catch (reason) {
      if (reason instanceof KeysUnavailable) return { kind: "unavailable", reason: reason.message }
      return refused(`The token is not accepted: ${faultOf(reason)}.`)
    }
  }
}

function refused(reason: string): Verification {
  return { kind: "refused", reason }
}

/** jose says what is wrong with a token by its own errors; what the platform throws is about the key or its bytes. */
function faultOf(reason: unknown): string {
  return reason instanceof errors.JOSEError ? reason.message : "it does not fit its key"
}

function claimsOf(
  { sub, jti, iat, exp, grants: claim }: JWTPayload,
  now: Millis,
  bounds: TokenBounds,
): Decoded<TokenClaims> {
  const { clockToleranceMs, tokenLifeMsMax, principalLengthMax: bound } = bounds
  if (typeof sub !== "string" || sub === "" || sub.length > bound)
    return bad(`A token's sub is 1 to ${bound} characters; something else came.`)
  if (jti !== undefined && (typeof jti !== "string" || jti === "" || jti.length > bound))
    return bad(`A token's jti is 1 to ${bound} characters; something else came.`)
  const latest = now + clockToleranceMs
  if (typeof exp !== "number" || exp * 1000 > latest + tokenLifeMsMax) {
    return bad(`A token's exp is at most ${tokenLifeMsMax / 1000} seconds from now; a later time came.`)
  }
  if (iat !== undefined && (typeof iat !== "number" || iat * 1000 > latest))
    return bad("A token's iat is a time that was; a later one came.")
  const grants = decodeGrants(claim, bounds)
  if (!grants.ok) return grants
  return good({
    principal: sub,
    token: jti,
    issuedAt: ((iat ?? 0) * 1000) as Millis, // NumericDate counts seconds of the same time
    until: (Math.ceil(exp) * 1000 + clockToleranceMs) as Millis, // as above
    grants: grants.value,
  })
}
