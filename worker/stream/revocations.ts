import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Caller } from "../access/caller.ts"
import { type StreamHost, wholeIn } from "./stream-host.ts"

/** Whose tokens count no more: all of a principal that were issued until now, or the one of this name. */
export type Revocation = { readonly kind: "principal" | "token"; readonly name: string }

/*
 *   revocations   key (kind, name)   revoked at `at`; after `until` no token of before counts, and it is forgotten
 *
 * They outlive the stream itself: whoever was put out does not come back with the next stream of the name.
 */
const TABLE = `CREATE TABLE IF NOT EXISTS revocations (
  kind TEXT NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (kind, name)
) WITHOUT ROWID`

/** The tokens that one stream takes no more, until they would have ended by themselves. */
export class Revocations {
  readonly #host: Pick<StreamHost, "now" | "exec" | "bounds">
  #hasTable = false

  constructor(host: Pick<StreamHost, "now" | "exec" | "bounds">) {
    this.#host = host
  }

  /** False when so many are remembered that this one cannot be. */
  add({ kind, name }: Revocation): boolean {
    this.#run(TABLE)
    this.#hasTable = true
    const now = this.#host.now()
    this.#run("DELETE FROM revocations WHERE until <= ?", now)
    const others = "SELECT COUNT(*) AS count FROM revocations WHERE NOT (kind = ? AND name = ?)"
    const [row] = this.#run(others, kind, name)
    if (wholeIn(row?.count) >= this.#host.bounds.revocationsMax) return false
    const until = now + LIMITS.tokenLifeMsMax + 2 * LIMITS.clockToleranceMs // once to be taken, once to be honoured
    const insert = "INSERT OR REPLACE INTO revocations (kind, name, at, until) VALUES (?, ?, ?, ?)"
    this.#run(insert, kind, name, now, until)
    return true
  }

  /** Whether the caller's token is one of them. */
  concerns(caller: Caller): boolean {
    if (caller.kind !== "principal" || !this.#isThere()) return false
    const at = this.#timeOf("principal", caller.id)
    if (at !== undefined && caller.issuedAt <= at) return true
    return caller.token !== undefined && this.#timeOf("token", caller.token) !== undefined
  }

  #timeOf(kind: Revocation["kind"], name: string): Millis | undefined {
    const [row] = this.#run("SELECT at FROM revocations WHERE kind = ? AND name = ?", kind, name)
    return row && (wholeIn(row.at) as Millis) // was one when it was stored
  }

  #isThere(): boolean {
    this.#hasTable ||= this.#run("SELECT 1 FROM sqlite_master WHERE name = 'revocations'").length > 0
    return this.#hasTable
  }

  #run(...statement: Parameters<StreamHost["exec"]>) {
    return [...this.#host.exec(...statement)] // a host may run a statement no sooner than its rows are asked for
  }
}
