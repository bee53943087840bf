import { assert } from "../../shared/assert.ts"
import { isRecord } from "../../shared/decoded.ts"
import type { Millis } from "../../shared/ids.ts"

/** Who asks something of a stream, as the edge has found out. */
export type Caller = Anyone | Principal

/** Access is open: whoever reaches the edge may do everything. */
export type Anyone = { readonly kind: "anyone" }

/** Somebody whom a token names. */
export type Principal = {
  readonly kind: "principal"
  /** The token's `sub`. */
  readonly id: string
  /** The token's own name, its `jti`; undefined when it has none. */
  readonly token: string | undefined
  /** The token's `iat`; 0 when it has none, so that any revocation of the principal is later. */
  readonly issuedAt: Millis
  /** From then on the token counts no more: its `exp`, and what clocks may differ. */
  readonly until: Millis
  /** Whether it may append to the stream that it has come to. */
  readonly mayAppend: boolean
}

export const ANYONE: Anyone = { kind: "anyone" }

/** What opens a socket: a caller that the edge knows, or a ticket that the stream's object will know. */
export type SocketClaim =
  | Caller
  /** `principal` is whom a token beside the ticket names: the ticket has to be of the same. */
  | { readonly kind: "ticket"; readonly ticket: string; readonly principal: string | undefined }

/** In whose name events are appended; undefined when everybody may use any name. */
export function principalOf(caller: Caller): string | undefined {
  return caller.kind === "principal" ? caller.id : undefined
}

export function mayAppend(caller: Caller): boolean {
  return caller.kind === "anyone" || caller.mayAppend
}

/** Whether the caller's token has had its time. */
export function isOver(caller: Caller, now: Millis): boolean {
  return caller.kind === "principal" && now >= caller.until
}

/** A caller that was kept beside a socket or a ticket. What comes back is what was put there. */
export function storedCaller(value: unknown): Caller {
  assert(isRecord(value), "a caller is kept as an object")
  assert(value.kind === "anyone" || value.kind === "principal", "a kept caller is anyone or a principal")
  return value as Caller // written by nobody but us
}
