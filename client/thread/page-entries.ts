import type { StreamPath } from "../../shared/ids.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { NewEntry } from "../port.ts"
import type { Replicas } from "../replica/replicas.ts"
import type { Receipts } from "./receipts.ts"
import type { Rescue } from "./rescue.ts"
import { ShownEntries } from "./shown-entries.ts"

export type PageEntriesParts = {
  readonly replicas: Replicas
  readonly receipts: Receipts
  readonly rescue: Rescue
  /** There are entries of the stream on the disk that others do not know. */
  stored(stream: StreamPath): void
  changed(): void
}

/** What this tab's page appends: shown as soon as it is on its way, and then what the disk says of it. */
export class PageEntries {
  readonly #parts: PageEntriesParts
  readonly #shown = new ShownEntries()
  #shows = 0

  constructor(parts: PageEntriesParts) {
    this.#parts = parts
  }

  /** How often the page has shown what it appends. */
  get shows(): number {
    return this.#shows
  }

  /** Shows entries that the page has handed to the disk. */
  show(stream: StreamPath, entries: readonly NewEntry[]): void {
    this.#shows++
    this.#parts.replicas.show(stream, this.#shown.add(entries))
    this.#parts.changed()
  }

  /** The disk has taken entries: they may go to the edge. */
  async stored(stream: StreamPath, tickets: readonly number[], keys: readonly OutboxKey[]): Promise<void> {
    const { replicas, receipts } = this.#parts
    const entries = this.#shown.take(tickets)
    const replica = await replicas.get(stream)
    const confirmed = replica.stored(entries, keys)
    receipts.await(keys, tickets)
    receipts.confirmed(confirmed, replica.head)
    receipts.rejected(replica.rejections.among(keys))
    this.#parts.stored(stream)
    if (replica.doubted.length > 0) await replicas.settle(replica)
  }

  /** Nobody knows whether the disk has taken entries. Sees to it that it has, and answers their keys. */
  async secure(stream: StreamPath, tickets: readonly number[]): Promise<OutboxKey[]> {
    const replica = await this.#parts.replicas.get(stream)
    return this.#parts.rescue.secure(replica, this.#shown.get(tickets), tickets)
  }

  /** The disk has refused entries: no query sees them when it resolves. */
  async refused(stream: StreamPath, tickets: readonly number[]): Promise<void> {
    const entries = this.#shown.take(tickets)
    const replica = await this.#parts.replicas.get(stream)
    replica.refused(entries)
    this.#parts.changed()
  }
}
