import type { Right } from "../../shared/grants.ts"
import { isGranted } from "../../shared/grants.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Access } from "../access/access.ts"
import { ANYONE, type Caller } from "../access/caller.ts"
import type { TokenClaims } from "../access/token.ts"
import { log } from "../log.ts"
import { refuse } from "./answer.ts"
import { faultResponse } from "./page-response.ts"
import { requestFacts } from "./request-facts.ts"

/** Who calls, or the answer for whoever may not. */
export type Admission =
  | { readonly kind: "admitted"; readonly caller: Caller }
  | { readonly kind: "refused"; readonly response: Response }

/** Who calls, by the token alone: what it grants is asked next. */
export type Identity =
  | { readonly kind: "anyone" }
  | { readonly kind: "token"; readonly claims: TokenClaims }
  /** No token, or none that counts. */
  | { readonly kind: "unknown"; readonly reason: string }
  | { readonly kind: "unavailable"; readonly reason: string }

/**
 * Whether the request's caller has the right. Whoever has not is told what everybody is told of a stream that is not
 * there, so that nobody learns which streams there are.
 */
export async function admit(
  access: Access,
  request: Request,
  path: string,
  right: Right,
): Promise<Admission> {
  const identity = await identityOf(access, request)
  switch (identity.kind) {
    case "anyone":
      return { kind: "admitted", caller: ANYONE }
    case "token":
      return isGranted(identity.claims.grants, path, right)
        ? { kind: "admitted", caller: callerOf(identity.claims, path) }
        : { kind: "refused", response: faultResponse({ kind: "missing" }) }
    case "unknown":
      return { kind: "refused", response: refuse(401, identity.reason, { "WWW-Authenticate": "Bearer" }) }
    case "unavailable":
      return { kind: "refused", response: refuse(503, identity.reason, { "Retry-After": "1" }) }
  }
}

/** Whom the request's token names. */
export async function identityOf(access: Access, request: Request): Promise<Identity> {
  if (access.kind === "open") return ANYONE
  if (access.kind === "unconfigured") return { kind: "unknown", reason: access.message }
  const header = request.headers.get("authorization")
  if (header === null)
    return { kind: "unknown", reason: "A bearer token was expected; no Authorization came." }
  const token = /^Bearer +(\S+)$/i.exec(header)?.[1]
  if (token === undefined)
    return { kind: "unknown", reason: "Authorization is Bearer and one token; something else came." }
  const verified = await access.verify(token, Date.now() as Millis)
  switch (verified.kind) {
    case "known":
      return { kind: "token", claims: verified.claims }
    case "refused":
      return { kind: "unknown", reason: verified.reason }
    case "unavailable":
      log("keys unavailable", { ...requestFacts(request), error: verified.reason })
      return verified
  }
}

/** The caller as one stream sees it. */
export function callerOf({ grants, principal, ...claims }: TokenClaims, path: string): Caller {
  const { token, issuedAt, until } = claims
  const mayAppend = isGranted(grants, path, "append")
  return { kind: "principal", id: principal, token, issuedAt, until, mayAppend }
}

/** What a request of this method does to a stream. */
export function rightFor(method: string): Right {
  switch (method) {
    case "GET":
    case "HEAD":
      return "read"
    case "POST":
      return "append"
    default:
      return "manage"
  }
}

/** Addresses are written down by proxies, histories and logs. A token in one is known to all of them. */
export function hasTokenInQuery(url: URL): boolean {
  return url.searchParams.has("token") || url.searchParams.has("access_token")
}
