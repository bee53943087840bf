import { parseJson } from "../../shared/decoded.ts"
import type { Millis } from "../../shared/ids.ts"
import { type Caller, storedCaller } from "../access/caller.ts"
import { type StreamHost, textIn, wholeIn } from "./stream-host.ts"

/*
 * Tickets of one stream that were issued and not yet used.
 *
 *   tickets   key number   `secret` and `number` together are the ticket, `caller` is who holds it
 *
 * Numbers rise with the time of issue, so those whose time is over stand first: a purge looks at nothing else. The
 * number is no secret and may be given again once its ticket is gone; the secret never is.
 */
const TABLE = `CREATE TABLE IF NOT EXISTS tickets (
  number INTEGER PRIMARY KEY, secret TEXT NOT NULL, caller TEXT NOT NULL, expires_at INTEGER NOT NULL
)`

/** A crowd that comes back at once leaves no more than this behind with each ticket that is issued. */
const PURGED_AT_ONCE = 100

export type Ticket = { readonly ticket: string; readonly expiresAt: Millis }

/** What becomes of the wish for a ticket. */
export type Issued = ({ readonly kind: "issued" } & Ticket) | { readonly kind: "full" }

/** Lets who has shown a token open one socket, with something that may be seen by others afterwards. */
export class Tickets {
  readonly #host: Pick<StreamHost, "now" | "exec" | "bounds">
  #hasTable = false

  constructor(host: Pick<StreamHost, "now" | "exec" | "bounds">) {
    this.#host = host
  }

  /** Undefined when too many are waiting to be used. */
  issue(caller: Caller, secret: string): Ticket | undefined {
    this.#run(TABLE)
    this.#hasTable = true
    this.purge()
    const [row] = this.#run("SELECT MIN(number) AS low, MAX(number) AS high FROM tickets")
    const [low, high] = row?.low == null ? [1, 0] : [wholeIn(row.low), wholeIn(row.high)]
    const number = high + 1
    if (number - low >= this.#host.bounds.ticketsMax) return undefined
    const expiresAt = (this.#host.now() + this.#host.bounds.ticketMsMax) as Millis // a time plus a duration is a time
    const insert = "INSERT INTO tickets (number, secret, caller, expires_at) VALUES (?, ?, ?, ?)"
    this.#run(insert, number, secret, JSON.stringify(caller), expiresAt)
    return { ticket: `${number}.${secret}`, expiresAt }
  }

  /** Who holds the ticket, once: it is gone afterwards. Undefined when it is wrong, used or late. */
  use(ticket: string): Caller | undefined {
    const [, number, secret] = /^([0-9]{1,15})\.([A-Za-z0-9_-]+)$/.exec(ticket) ?? []
    if (number === undefined || secret === undefined || !this.#isThere()) return undefined
    const known = "SELECT caller, expires_at FROM tickets WHERE number = ? AND secret = ?"
    const [row] = this.#run(known, Number(number), secret)
    if (row === undefined) return undefined
    this.#run("DELETE FROM tickets WHERE number = ?", Number(number))
    if (this.#host.now() >= wholeIn(row.expires_at)) return undefined
    const caller = parseJson(textIn(row.caller))
    return caller.ok ? storedCaller(caller.value) : undefined
  }

  /** Forgets those whose time is over, the oldest first. */
  purge(): void {
    if (!this.#isThere()) return
    const oldest = "SELECT number FROM tickets ORDER BY number LIMIT ?"
    const over = `DELETE FROM tickets WHERE number IN (${oldest}) AND expires_at <= ?`
    this.#run(over, PURGED_AT_ONCE, this.#host.now())
  }

  /** A stream that nobody needs tickets for has no table of them. */
  #isThere(): boolean {
    this.#hasTable ||= this.#run("SELECT 1 FROM sqlite_master WHERE name = 'tickets'").length > 0
    return this.#hasTable
  }

  #run(...statement: Parameters<StreamHost["exec"]>) {
    return [...this.#host.exec(...statement)] // a host may run a statement no sooner than its rows are asked for
  }
}

/** Nobody guesses one of so many. */
const SECRET_BYTES = 32

/** What makes a ticket: chance, in characters that fit in a subprotocol. */
export function newSecret(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(SECRET_BYTES))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "")
}
