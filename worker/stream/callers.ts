import { CLOSE } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { type Caller, isOver, principalOf, type SocketClaim } from "../access/caller.ts"
import { type Revocation, Revocations } from "./revocations.ts"
import type { Reader, StreamHost } from "./stream-host.ts"
import { type Ticket, Tickets } from "./tickets.ts"

/** What callers are judged with. `sockets` are all that are open, whoever holds them. */
export type CallersHost = Pick<StreamHost, "now" | "exec" | "bounds" | "wakeAt"> & {
  sockets(): Iterable<Reader>
}

/**
 * Who may still use one stream. The edge has checked the token before; what only the stream's object can know is
 * here: tickets and revocations, and the sockets that outlive the moment in which their token was good.
 */
export class Callers {
  readonly #host: CallersHost
  readonly #tickets: Tickets
  readonly #revocations: Revocations

  constructor(host: CallersHost) {
    this.#host = host
    this.#tickets = new Tickets(host)
    this.#revocations = new Revocations(host)
  }

  /** Whether the caller's token counts now, and for this stream. */
  admits(caller: Caller): boolean {
    return !isOver(caller, this.#host.now()) && !this.#revocations.concerns(caller)
  }

  /** Who opens a socket, if they may; a ticket is used up by it. From then on the socket ends when its caller does. */
  enter(claim: SocketClaim): Caller | undefined {
    const caller = claim.kind === "ticket" ? this.#holderOf(claim) : claim
    if (caller === undefined || !this.admits(caller)) return undefined
    if (caller.kind === "principal") this.#host.wakeAt(caller.until)
    return caller
  }

  /** Undefined when too many tickets wait to be used. */
  issueTicket(caller: Caller, secret: string): Ticket | undefined {
    return this.#tickets.issue(caller, secret)
  }

  /** Puts callers out, and keeps them out. False when no more can be remembered. */
  revoke(revocation: Revocation): boolean {
    if (!this.#revocations.add(revocation)) return false
    for (const socket of this.#host.sockets()) if (this.#revocations.concerns(socket.caller)) close(socket)
    return true
  }

  /** Whether the socket's frame may be taken. One that may not ends the socket. */
  hears(socket: Reader): boolean {
    const isHeard = this.admits(socket.caller)
    if (!isHeard) close(socket)
    return isHeard
  }

  /** The sockets that may be sent something. The time of the others is over, and they are closed. */
  *listeners(): Iterable<Reader> {
    const now = this.#host.now()
    for (const socket of this.#host.sockets()) {
      if (isOver(socket.caller, now)) close(socket)
      else yield socket
    }
  }

  /** Closes the sockets whose time is over, and asks to be woken for the next. */
  expire(): void {
    this.#tickets.purge()
    let next: Millis | undefined
    for (const { caller } of this.listeners()) {
      if (caller.kind === "principal" && (next === undefined || caller.until < next)) next = caller.until
    }
    if (next !== undefined) this.#host.wakeAt(next)
  }

  #holderOf({ ticket, principal }: Extract<SocketClaim, { kind: "ticket" }>): Caller | undefined {
    const caller = this.#tickets.use(ticket)
    if (caller === undefined || principal === undefined) return caller
    return principalOf(caller) === principal ? caller : undefined
  }
}

function close(socket: Reader): void {
  socket.close(CLOSE.unauthorized, "The token has ended or was revoked: get a new one.")
}
