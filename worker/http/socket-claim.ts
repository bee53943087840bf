import { CLOSE, TICKET_PREFIX } from "../../shared/frames.ts"
import { isGranted } from "../../shared/grants.ts"
import type { Access } from "../access/access.ts"
import { ANYONE, type SocketClaim } from "../access/caller.ts"
import { callerOf, identityOf } from "./guard.ts"

/** What a socket is opened with, or the code it is closed with at once. */
export type SocketAdmission =
  | { readonly kind: "claim"; readonly claim: SocketClaim }
  | { readonly kind: "closed"; readonly code: number; readonly reason: string }

/** "Try again later", of the registry of close codes. */
const TRY_AGAIN = 1013

/** The names of subprotocols that a request offers. */
export function offeredProtocols(request: Request): string[] {
  const offered = request.headers.get("sec-websocket-protocol")?.split(",") ?? []
  return offered.map((name) => name.trim())
}

/**
 * Who opens a socket. A browser shows a ticket among its subprotocols, since it can set no header; anybody else may
 * show a token, or both, and then they have to be of one principal.
 */
export async function socketClaim(access: Access, request: Request, path: string): Promise<SocketAdmission> {
  if (access.kind === "open") return { kind: "claim", claim: ANYONE }
  const ticket = offeredProtocols(request).find((name) => name.startsWith(TICKET_PREFIX))
  const shown = ticket?.slice(TICKET_PREFIX.length)
  if (shown !== undefined && !request.headers.has("authorization"))
    return { kind: "claim", claim: { kind: "ticket", ticket: shown, principal: undefined } }
  const identity = await identityOf(access, request)
  switch (identity.kind) {
    case "anyone":
      return { kind: "claim", claim: ANYONE }
    case "unknown":
      return { kind: "closed", code: CLOSE.unauthorized, reason: identity.reason }
    case "unavailable":
      return { kind: "closed", code: TRY_AGAIN, reason: identity.reason }
    case "token": {
      const { claims } = identity
      if (!isGranted(claims.grants, path, "read"))
        return { kind: "closed", code: CLOSE.missing, reason: "There is no such stream." }
      const claim: SocketClaim =
        shown === undefined
          ? callerOf(claims, path)
          : { kind: "ticket", ticket: shown, principal: claims.principal }
      return { kind: "claim", claim }
    }
  }
}
