import type { Brand } from "./brand.ts"
import { COMMON_LIMITS } from "./common-limits.ts"
import type { ProducerId } from "./ids.ts"
import type { Offset } from "./offset.ts"

/** Where an entry stands in the order in which this device appended. Given by its disk. */
export type OutboxKey = Brand<number, "OutboxKey">

/** What was appended in one turn: whole, in one batch, or not at all. `text` is its messages, comma-joined. */
export type OutboxEntry = {
  readonly key: OutboxKey
  readonly text: string
  readonly count: number
  readonly bytes: number
  /** It is appended only if the stream ends there; then it travels alone. */
  readonly expected?: Offset | undefined
}

/** A batch that may have been sent. Until its fate is known it keeps its number, its entries and so its bytes. */
export type FrozenBatch = {
  readonly producer: ProducerId
  readonly epoch: number
  readonly seq: number
  readonly keys: readonly OutboxKey[]
}

/** Who produces a stream's next batch, and under which number. Stored in the transaction that freezes a batch. */
export type ProducerPosition = {
  readonly producer: ProducerId
  readonly epoch: number
  readonly nextSeq: number
  /** The last epoch that the edge has taken a batch of: it lets the next one be so much greater, and no more. */
  readonly knownEpoch: number
  readonly inFlight: FrozenBatch | null
}

/** Before anything was produced under this name. */
export function firstPosition(producer: ProducerId): ProducerPosition {
  return { producer, epoch: 0, nextSeq: 0, knownEpoch: 0, inFlight: null }
}

/**
 * Begins a new epoch, as each leadership does before it first gives a number. The step is a random one, so that two
 * devices that continue from copies of one disk give different numbers to what they send, and the edge tells them
 * apart. Where no step is left (none of the last epochs was ever taken) it is a fresh producer that goes on.
 */
export function beginEpoch(position: ProducerPosition, chance: number, fresh: ProducerId): ProducerPosition {
  const room = position.knownEpoch + COMMON_LIMITS.epochJumpMax - position.epoch
  if (room < 1) return firstPosition(fresh)
  return { ...position, epoch: position.epoch + 1 + Math.floor(chance * room), nextSeq: 0 }
}

export type BatchBounds = {
  readonly eventsMax: number
  readonly bytesMax: number
  /** Fewer than fit, while something among those that come first was refused. */
  readonly entriesMax: number
}

/**
 * Chooses the next batch and gives it its number, or leaves everything as it is when a batch is in flight or nothing
 * waits. As many whole entries as fit, in order; the first always, since an entry fits in a batch by itself.
 *
 * One batch in flight, not several: what is appended meanwhile travels together in the next, so a slow network makes
 * batches larger instead of making more of them.
 */
export function freeze(
  position: ProducerPosition,
  waiting: Iterable<OutboxEntry>,
  bounds: BatchBounds,
): ProducerPosition {
  if (position.inFlight !== null) return position
  const keys: OutboxKey[] = []
  let events = 0
  let bytes = 0
  for (const entry of waiting) {
    events += entry.count
    bytes += entry.bytes + 1 // the comma
    const isAlone = entry.expected !== undefined
    if (keys.length > 0 && (isAlone || events > bounds.eventsMax || bytes > bounds.bytesMax)) break
    keys.push(entry.key)
    if (isAlone || keys.length >= bounds.entriesMax) break
  }
  if (keys.length === 0) return position
  const { producer, epoch, nextSeq } = position
  return { ...position, nextSeq: nextSeq + 1, inFlight: { producer, epoch, seq: nextSeq, keys } }
}

/** After the batch in flight was read back from the edge. */
export function settle(position: ProducerPosition): ProducerPosition {
  const { inFlight, producer, knownEpoch } = position
  const isOurs = inFlight?.producer === producer
  return { ...position, knownEpoch: isOurs ? inFlight.epoch : knownEpoch, inFlight: null }
}

/**
 * After the edge has refused the messages of the batch in flight for good: the first half of its entries, as another
 * batch, so that in the end one entry is found that is refused by itself. The number was not taken, and is not given
 * again all the same: it stands for the batch that was refused.
 */
export function halve(position: ProducerPosition, chance: number, fresh: ProducerId): ProducerPosition {
  if (position.inFlight === null) return position
  const { keys } = position.inFlight
  const begun = beginEpoch(position, chance, fresh)
  const { producer, epoch } = begun
  const half = keys.slice(0, Math.ceil(keys.length / 2))
  return { ...begun, nextSeq: 1, inFlight: { producer, epoch, seq: 0, keys: half } }
}

/** After the entries of the batch in flight were given up: they are pending no more, and its number is spent. */
export function giveUp(position: ProducerPosition, chance: number, fresh: ProducerId): ProducerPosition {
  if (position.inFlight === null) return position
  return { ...beginEpoch(position, chance, fresh), inFlight: null }
}

/**
 * After the edge has answered that it will not store the batch in flight under its number (it is taken, fenced off,
 * beyond a gap or too far ahead), and the log up to that answer does not hold it: the same entries under a fresh
 * producer, of whom nobody has a copy. That is what heals a cloned profile, a restored backup on either side, and a
 * producer that the edge has forgotten.
 */
export function renumber(position: ProducerPosition, fresh: ProducerId): ProducerPosition {
  if (position.inFlight === null) return position
  const { keys } = position.inFlight
  return { ...firstPosition(fresh), nextSeq: 1, inFlight: { producer: fresh, epoch: 0, seq: 0, keys } }
}
