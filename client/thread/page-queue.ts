import { VIEW_LIMITS } from "../../shared/common-limits.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import { offsetBehind } from "../../shared/page-places.ts"
import type { FoldBatch } from "../../shared/view/fold.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"
import type { ConfirmedBatch } from "../state/view-state.ts"

/** Part of a page, and the entries that ceased to be pending by it. */
type Queued = { readonly batch: ConfirmedBatch; readonly confirmed: readonly PendingEntry[] }

/** What the edge has ordered and a view has not folded yet. */
export class PageQueue {
  #queue: Queued[] = []

  get isEmpty(): boolean {
    return this.#queue.length === 0
  }

  /** Where what is queued of a stream ends; undefined when nothing is. */
  end(stream: StreamPath): Offset | undefined {
    return this.#queue.findLast(({ batch }) => batch.stream === stream)?.batch.next
  }

  /**
   * A long page is taken in parts, of which only the last says where the log goes on. One that confirms something stays
   * whole: an entry would be folded as confirmed and as pending.
   */
  add(stream: StreamPath, page: Page, confirmed: readonly PendingEntry[]): void {
    const { messages, next } = page
    const size = confirmed.length > 0 ? Math.max(1, messages.length) : VIEW_LIMITS.foldEventsPerTurn
    for (let from = 0; from === 0 || from < messages.length; from += size) {
      const part = from === 0 && messages.length <= size ? messages : messages.slice(from, from + size)
      const batch = { stream, messages: part, offsetBehind: (at: number) => offsetBehind(page, from + at) }
      const isLast = from + size >= messages.length
      this.#queue.push({ batch: isLast ? { ...batch, next } : batch, confirmed })
    }
  }

  /** As much as fits a turn, and one at least if there is one. */
  take(): ConfirmedBatch[] {
    let [count, events] = [0, 0]
    for (const { batch } of this.#queue) {
      if (events >= VIEW_LIMITS.foldEventsPerTurn) break
      events += batch.messages.length
      count++
    }
    return this.#queue.splice(0, count).map(({ batch }) => batch)
  }

  /** The entries that are pending no more, and not folded as confirmed. */
  confirmed(): FoldBatch[] {
    return this.#queue.flatMap(({ batch: { stream }, confirmed }) =>
      confirmed.map(({ messages }) => ({ stream, messages })),
    )
  }

  clear(): void {
    this.#queue = []
  }
}
