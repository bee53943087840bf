import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { type SqlRow, textIn, wholeIn } from "../stream/stream-host.ts"

/*
 *   streams   key path   streams that this principal has made at `made`, or was about to; `looked` rises with each look
 *
 * A row is written before its stream is made, so a crash between the two leaves one too many, never one too few. When
 * there are as many as there may be, the ones that were looked at longest ago are looked at: those that are gone, or
 * are somebody else's by now, are dropped. So deleting a stream tells nobody, and whoever is refused is so only while
 * it is true, or for as many attempts as it takes to look at them all.
 *
 * Several requests may be about to make one stream. Each raises `made`, and a row is dropped only with the `made` that
 * was seen before the stream was asked: so nobody drops what another request is making.
 */
const TABLES = [
  `CREATE TABLE IF NOT EXISTS streams (
    path TEXT PRIMARY KEY, made INTEGER NOT NULL, looked INTEGER NOT NULL
  ) WITHOUT ROWID`,
  "CREATE INDEX IF NOT EXISTS streams_looked ON streams (looked)",
]

export type PrincipalParts = {
  readonly bounds: Pick<Bounds, "streamsPerPrincipalMax" | "principalSweepMax" | "creationMsMax">
  now(): Millis
  exec(sql: string, ...values: (string | number)[]): Iterable<SqlRow>
  /** Whether the principal's stream is still there. Rejects when that cannot be told now. */
  isThere(principal: string, path: string): Promise<boolean>
}

export type StreamAdmission =
  /** The stream counts from now on; `made` is what to forget it by. */
  | { readonly kind: "counted"; readonly made: Millis }
  /** It was counted before. */
  | { readonly kind: "known" }
  | { readonly kind: "too-many" }

/** The streams that one principal has made and not deleted. */
export class PrincipalStreams {
  readonly #parts: PrincipalParts
  #count: number

  constructor(parts: PrincipalParts) {
    this.#parts = parts
    for (const table of TABLES) this.#run(table)
    this.#count = wholeIn(this.#run("SELECT COUNT(*) AS count FROM streams")[0]?.count)
  }

  /** Counts a stream that the principal is about to make. */
  async admit(principal: string, path: string): Promise<StreamAdmission> {
    if (this.#isRaised(path)) return { kind: "known" }
    if (!this.#hasRoom()) await this.#sweep(principal)
    if (this.#isRaised(path)) return { kind: "known" } // another request was faster
    if (!this.#hasRoom()) return { kind: "too-many" }
    const made = this.#parts.now()
    this.#run("INSERT INTO streams (path, made, looked) VALUES (?, ?, 0)", path, made)
    this.#count++
    return { kind: "counted", made }
  }

  /** The stream was not made after all, or is no more, unless another request has asked to make it since. */
  forget(path: string, made: number): void {
    const dropped = this.#run("DELETE FROM streams WHERE path = ? AND made = ? RETURNING path", path, made)
    this.#count -= dropped.length
  }

  /** Looks at some, and at others the next time; at none that may be in the making. */
  async #sweep(principal: string): Promise<void> {
    const { principalSweepMax, creationMsMax } = this.#parts.bounds
    const before = this.#parts.now() - creationMsMax
    const next = "SELECT path, made FROM streams WHERE made <= ? ORDER BY looked LIMIT ?"
    const rows = this.#run(next, before, principalSweepMax)
    const streams = rows.map(({ path, made }) => ({ path: textIn(path), made: wholeIn(made) }))
    const looks = await Promise.allSettled(streams.map(({ path }) => this.#parts.isThere(principal, path)))
    const last = wholeIn(this.#run("SELECT MAX(looked) AS last FROM streams")[0]?.last ?? 0)
    for (const [at, { path, made }] of streams.entries()) {
      const look = looks[at]
      if (look?.status === "fulfilled" && !look.value) this.forget(path, made)
      else this.#run("UPDATE streams SET looked = ? WHERE path = ?", last + 1, path) // what cannot be told counts
    }
  }

  /** Whether the stream is counted, which then says that one more request may make it. */
  #isRaised(path: string): boolean {
    const raise = "UPDATE streams SET made = MAX(made + 1, ?) WHERE path = ? RETURNING path"
    return this.#run(raise, this.#parts.now(), path).length > 0
  }

  #hasRoom(): boolean {
    return this.#count < this.#parts.bounds.streamsPerPrincipalMax
  }

  #run(sql: string, ...values: (string | number)[]): SqlRow[] {
    return [...this.#parts.exec(sql, ...values)]
  }
}
