import type { NewEntry } from "../port.ts"
import { appendedEntry, type PendingEntry } from "../replica/pending-entry.ts"

/** What the page has shown and the disk has not answered for, by ticket. */
export class ShownEntries {
  readonly #entries = new Map<number, PendingEntry>()

  add(entries: readonly NewEntry[]): PendingEntry[] {
    return entries.map((entry) => {
      const pending = appendedEntry(entry)
      this.#entries.set(entry.ticket, pending)
      return pending
    })
  }

  get(tickets: readonly number[]): PendingEntry[] {
    return tickets.flatMap((ticket) => this.#entries.get(ticket) ?? [])
  }

  /** Their answer has come. */
  take(tickets: readonly number[]): PendingEntry[] {
    const entries = this.get(tickets)
    for (const ticket of tickets) this.#entries.delete(ticket)
    return entries
  }
}
