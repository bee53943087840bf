import { isEvent } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { FoldBatch } from "../../shared/view/fold.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"

type Late = { readonly stream: StreamPath; readonly entries: readonly PendingEntry[] }

/**
 * Streams that a view reads from the disk until it has caught up with them. That may take a while, where a part of the
 * log has to be had from the edge: what ceases to be pending meanwhile is shown as pending until it is come to.
 */
export class JoiningStreams {
  readonly #streams = new Set<StreamPath>()
  #late: Late[] = []

  get isEmpty(): boolean {
    return this.#streams.size === 0
  }

  get all(): Iterable<StreamPath> {
    return this.#streams
  }

  has(stream: StreamPath): boolean {
    return this.#streams.has(stream)
  }

  add(stream: StreamPath): void {
    this.#streams.add(stream)
  }

  /** The view has caught up with a stream. */
  done(stream: StreamPath): void {
    this.#streams.delete(stream)
    this.#late = this.#late.filter((late) => late.stream !== stream)
  }

  /** The log of a stream has entries that the view has not come to. */
  confirmed(stream: StreamPath, entries: readonly PendingEntry[]): void {
    if (entries.length > 0) this.#late.push({ stream, entries })
  }

  /** What is pending no more, and not folded as confirmed. */
  late(): FoldBatch[] {
    return this.#late.flatMap(({ stream, entries }) => entries.map(({ messages }) => ({ stream, messages })))
  }

  /** These messages of a stream are folded now. An entry is known by its first event. */
  folded({ stream, messages }: FoldBatch): void {
    if (this.#late.length === 0) return
    const ids = new Set(messages.filter(isEvent).map(({ id }) => id))
    const isFolded = ({ messages: [first] }: PendingEntry) => isEvent(first) && ids.has(first.id)
    this.#late = this.#late
      .map((late) =>
        late.stream === stream ? { stream, entries: late.entries.filter((entry) => !isFolded(entry)) } : late,
      )
      .filter(({ entries }) => entries.length > 0)
  }

  clear(): void {
    this.#streams.clear()
    this.#late = []
  }
}
