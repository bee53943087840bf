import type { NewEntry } from "../port.ts"
import { appendedEntry, type PendingEntry } from "./replica.ts"

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

  /** Their answer has come. */
  take(tickets: readonly number[]): PendingEntry[] {
    return tickets.flatMap((ticket) => {
      const entry = this.#entries.get(ticket)
      this.#entries.delete(ticket)
      return entry === undefined ? [] : [entry]
    })
  }
}
