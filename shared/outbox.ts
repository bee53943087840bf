import type { Brand } from "./brand.ts"

/** Where an entry stands in the order in which this device appended. Given by its disk. */
export type OutboxKey = Brand<number, "OutboxKey">

/** What was appended in one turn: whole, in one batch, or not at all. `text` is its messages, comma-joined. */
export type OutboxEntry = {
  readonly key: OutboxKey
  readonly text: string
  readonly count: number
  readonly bytes: number
}

/** A batch that may have been sent. Until its fate is known it keeps its number, its entries and so its bytes. */
export type FrozenBatch = {
  readonly epoch: number
  readonly seq: number
  readonly keys: readonly OutboxKey[]
}

/** This device's position as a producer of one stream. Stored in the transaction that freezes a batch. */
export type ProducerPosition = {
  readonly epoch: number
  readonly nextSeq: number
  readonly inFlight: FrozenBatch | null
}

export const FIRST_POSITION: ProducerPosition = { epoch: 0, nextSeq: 0, inFlight: null }

export type BatchBounds = { readonly eventsMax: number; readonly bytesMax: number }

/**
 * Chooses the next batch and gives it its number, or leaves everything as it is when a batch is in flight or nothing
 * waits. As many whole entries as fit, in order; the first always, since an entry fits in a batch by itself.
 *
 * One batch in flight, not several: what is appended meanwhile travels together in the next, so a slow network makes
 * batches larger instead of making more of them.
 */
export function freeze(
  position: ProducerPosition,
  waiting: readonly OutboxEntry[],
  bounds: BatchBounds,
): ProducerPosition {
  if (position.inFlight !== null || waiting.length === 0) return position
  const keys: OutboxKey[] = []
  let events = 0
  let bytes = 0
  for (const entry of waiting) {
    events += entry.count
    bytes += entry.bytes + 1 // the comma
    if (keys.length > 0 && (events > bounds.eventsMax || bytes > bounds.bytesMax)) break
    keys.push(entry.key)
  }
  const { epoch, nextSeq } = position
  return { epoch, nextSeq: nextSeq + 1, inFlight: { epoch, seq: nextSeq, keys } }
}

/** After the batch in flight was read back from the edge. */
export function settle(position: ProducerPosition): ProducerPosition {
  return { ...position, inFlight: null }
}

/**
 * After the edge has answered that it will not store the batch in flight under its number (it is taken, fenced off or
 * beyond a gap), and the log up to that answer does not hold it: the same entries under a new epoch. That is what
 * heals a cloned profile, a restored backup on either side, and a producer that the edge has forgotten.
 */
export function renumber(position: ProducerPosition, epochAtEdge: number): ProducerPosition {
  if (position.inFlight === null) return position
  const epoch = Math.max(position.epoch, epochAtEdge) + 1
  return { epoch, nextSeq: 1, inFlight: { epoch, seq: 0, keys: position.inFlight.keys } }
}
