import { errors, type JWTPayload, jwtVerify } from "jose"
import { bad, type Decoded, good } from "../../shared/decoded.ts"
import { decodeGrants, type Grants } from "../../shared/grants.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
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

export type Verifier = (token: string, now: Millis) => Promise<Verification>

/** Makes the judge of tokens. Signature, issuer, audience and times are jose's to check, the rest is ours. */
export function verifierOf({ issuer, audience, algorithms, keys }: TokenRule): Verifier {
  const find = keyFinder(keys)
  const fixed = { issuer, audience, algorithms: [...algorithms], requiredClaims: ["exp", "sub"] }
  const clockTolerance = LIMITS.clockToleranceMs / 1000
  return async (token, now) => {
    if (token.length > LIMITS.tokenLengthMax)
      return refused(`A token has at most ${LIMITS.tokenLengthMax} characters; one of ${token.length} came.`)
    try {
      const { payload } = await jwtVerify(token, find, {
        ...fixed,
        clockTolerance,
        currentDate: new Date(now),
      })
      const claims = claimsOf(payload, now)
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

function claimsOf({ sub, jti, iat, exp, grants: claim }: JWTPayload, now: Millis): Decoded<TokenClaims> {
  const bound = LIMITS.principalLengthMax
  if (typeof sub !== "string" || sub === "" || sub.length > bound)
    return bad(`A token's sub is 1 to ${bound} characters; something else came.`)
  if (jti !== undefined && (typeof jti !== "string" || jti === "" || jti.length > bound))
    return bad(`A token's jti is 1 to ${bound} characters; something else came.`)
  const latest = now + LIMITS.clockToleranceMs
  if (typeof exp !== "number" || exp * 1000 > latest + LIMITS.tokenLifeMsMax) {
    const days = LIMITS.tokenLifeMsMax / 86_400_000
    return bad(`A token's exp is at most ${days} days from now; a later time came.`)
  }
  if (iat !== undefined && (typeof iat !== "number" || iat * 1000 > latest))
    return bad("A token's iat is a time that was; a later one came.")
  const grants = decodeGrants(claim)
  if (!grants.ok) return grants
  return good({
    principal: sub,
    token: jti,
    issuedAt: ((iat ?? 0) * 1000) as Millis, // NumericDate counts seconds of the same time
    until: (Math.ceil(exp) * 1000 + LIMITS.clockToleranceMs) as Millis, // as above
    grants: grants.value,
  })
}
