import type { ErrorData } from "../../shared/errors.ts"
import type { Offset } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { Refusal } from "../disk/rejections.ts"
import type { Notice } from "../port.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"

/** Which of this page's receipts wait for which entries, and the telling of their fate. */
export class Receipts {
  readonly #tell: (notice: Notice) => void
  /** Only what the disk has can reach the edge, so keys name all that can be told of. */
  readonly #tickets = new Map<OutboxKey, number>()

  constructor(tell: (notice: Notice) => void) {
    this.#tell = tell
  }

  await(keys: readonly OutboxKey[], tickets: readonly number[]): void {
    keys.forEach((key, i) => {
      const ticket = tickets[i]
      if (ticket !== undefined) this.#tickets.set(key, ticket)
    })
  }

  /** Forgets who waits for these entries, and says who did: they are to have other keys. */
  withdraw(entries: readonly PendingEntry[]): Map<PendingEntry, number> {
    const withdrawn = new Map<PendingEntry, number>()
    for (const entry of entries) {
      const [ticket] = this.#take([entry])
      if (ticket !== undefined) withdrawn.set(entry, ticket)
    }
    return withdrawn
  }

  confirmed(entries: readonly PendingEntry[], offset: Offset): void {
    for (const ticket of this.#take(entries)) this.#tell({ kind: "confirmed", ticket, offset })
  }

  rejected(refusals: readonly Refusal[]): void {
    for (const { key, error } of refusals)
      for (const ticket of this.#take([{ key }])) this.#tell({ kind: "rejected", ticket, error })
  }

  /** The entries stay pending; their receipts will hear nothing better. */
  stopped(entries: readonly PendingEntry[], error: ErrorData): void {
    for (const ticket of this.#take(entries)) this.#tell({ kind: "rejected", ticket, error })
  }

  /** The disk has given entries other keys. */
  rekeyed(keys: ReadonlyMap<OutboxKey, OutboxKey>): void {
    const moved = [...keys].map(([from, to]) => [to, this.#tickets.get(from)] as const)
    for (const from of keys.keys()) this.#tickets.delete(from)
    for (const [to, ticket] of moved) if (ticket !== undefined) this.#tickets.set(to, ticket)
  }

  #take(entries: readonly Pick<PendingEntry, "key">[]): number[] {
    const taken: number[] = []
    for (const { key } of entries) {
      const ticket = key === undefined ? undefined : this.#tickets.get(key)
      if (key === undefined || ticket === undefined) continue
      this.#tickets.delete(key)
      taken.push(ticket)
    }
    return taken
  }
}
