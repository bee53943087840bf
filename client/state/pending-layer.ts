import type { EventId, StreamPath } from "../../shared/ids.ts"

/** Events of one stream, in order. */
type Batch = { readonly stream: StreamPath; readonly messages: readonly LayerEvent[] }

/** An event that can change a row. */
export type LayerEvent = { readonly id: EventId }

/** One stream's part of the layer. The first `settled` of its events are confirmed by now. */
type Run = { readonly events: LayerEvent[]; settled: number }

/** What stays of the layer when news arrives: everything, with more to fold on top; or nothing. */
export type Continuation = {
  readonly settled: ReadonlyMap<StreamPath, number>
  readonly more: readonly Batch[]
}

/**
 * What is folded in the transaction that is open above the committed rows: events in the order of each
 * stream. The order between streams does not matter, because each table belongs to one of them.
 *
 * When the edge confirms the events as they stand here, the rows are right as they are. So nothing is folded
 * again: the layer only counts how far it is confirmed. That makes a long backlog that is confirmed batch by
 * batch cost what it costs to fold it once.
 */
export class PendingLayer {
  readonly #runs = new Map<StreamPath, Run>()

  get isEmpty(): boolean {
    return this.#runs.size === 0
  }

  /** Whether all of it is confirmed. */
  get isSettled(): boolean {
    return [...this.#runs.values()].every((run) => run.settled === run.events.length)
  }

  /** How many of its events are confirmed but not committed. */
  get settledCount(): number {
    return [...this.#runs.values()].reduce((sum, run) => sum + run.settled, 0)
  }

  /** How many of its events wait for the edge. */
  get pendingCount(): number {
    return [...this.#runs.values()].reduce((sum, run) => sum + run.events.length - run.settled, 0)
  }

  add(stream: StreamPath, events: readonly LayerEvent[]): void {
    const run = this.#runs.get(stream)
    if (run !== undefined) for (const event of events) run.events.push(event)
    else if (events.length > 0) this.#runs.set(stream, { events: [...events], settled: 0 })
  }

  /** The confirmed part, for folding it again. */
  settled(): Batch[] {
    return [...this.#runs].map(([stream, run]) => ({ stream, messages: run.events.slice(0, run.settled) }))
  }

  /**
   * Whether the layer can stay under this news: each stream's confirmed events are the layer's next ones, and
   * its pending events are the rest of the layer, perhaps with more behind them. Events are compared by id.
   *
   * @param confirmed What the edge has ordered since the last news, in the events that can change a row.
   * @param pending Everything that waits for the edge, likewise.
   */
  continueWith(confirmed: readonly EventRun[], pending: readonly EventRun[]): Continuation | undefined {
    const settled = new Map([...this.#runs].map(([stream, run]) => [stream, run.settled]))
    for (const { stream, events } of confirmed) {
      for (const event of events) {
        const at = settled.get(stream) ?? 0
        if (this.#runs.get(stream)?.events[at]?.id !== event.id) return undefined
        settled.set(stream, at + 1)
      }
    }
    const reached = new Map(settled)
    const more: { stream: StreamPath; messages: LayerEvent[] }[] = []
    for (const { stream, events } of pending) {
      const known = this.#runs.get(stream)?.events ?? []
      const start = reached.get(stream) ?? 0
      const count = Math.min(events.length, known.length - start)
      for (let at = 0; at < count; at++) if (known[start + at]?.id !== events[at]?.id) return undefined
      reached.set(stream, start + count)
      more.push({ stream, messages: events.slice(count) })
    }
    const isWhole = [...this.#runs].every(([stream, run]) => reached.get(stream) === run.events.length)
    return isWhole ? { settled, more } : undefined
  }

  settle(settled: ReadonlyMap<StreamPath, number>): void {
    for (const [stream, run] of this.#runs) run.settled = settled.get(stream) ?? run.settled
  }

  clear(): void {
    this.#runs.clear()
  }
}

/** The events of a batch that can change a row. */
export type EventRun = { readonly stream: StreamPath; readonly events: readonly LayerEvent[] }
