import { parseBatch } from "../../shared/batch.ts"
import type { ErrorData } from "../../shared/errors.ts"
import { type HeadwaterEvent, isEvent, utf8Length } from "../../shared/events.ts"
import type { EventId, Millis, StreamPath } from "../../shared/ids.ts"
import type { OutboxEntry, OutboxKey } from "../../shared/outbox.ts"
import type { ReadTransaction, WriteTransaction } from "./storage.ts"

/** An entry that the edge has refused for good, as stored: under the key that the outbox gave it, and why. */
export type RejectedEntry = Omit<OutboxEntry, "expected"> & {
  readonly stream: StreamPath
  readonly error: ErrorData
  readonly at: Millis
}

/** An event that the edge has refused, or refused with others that were appended in the same task. */
export type RejectedEvent = HeadwaterEvent & { readonly error: ErrorData; readonly at: Millis }

export function eventsOf({ text, error, at }: RejectedEntry): RejectedEvent[] {
  return parseBatch(text)
    .filter(isEvent)
    .map((event) => ({ ...event, error, at }))
}

/** In the order of appending. */
export async function readRejected(tx: ReadTransaction, stream: StreamPath): Promise<RejectedEntry[]> {
  const entries = (await tx.getAll("rejected", {})) as RejectedEntry[] // `rejectIn` writes these
  return entries.filter((entry) => entry.stream === stream)
}

/** Moves an entry out of the outbox. */
export function rejectIn(tx: WriteTransaction, entry: RejectedEntry): void {
  tx.delete("outbox", entry.key)
  tx.put("rejected", entry)
}

/** Forgets some of the refused events of a stream. Answers which of them were there. */
export async function dismissIn(
  tx: WriteTransaction,
  stream: StreamPath,
  ids: ReadonlySet<EventId>,
): Promise<EventId[]> {
  const dismissed: EventId[] = []
  for (const entry of await readRejected(tx, stream)) {
    const events = parseBatch(entry.text).filter(isEvent)
    const kept = events.filter(({ id }) => !ids.has(id))
    if (kept.length === events.length) continue
    for (const { id } of events) if (ids.has(id)) dismissed.push(id)
    if (kept.length === 0) tx.delete("rejected", entry.key)
    else tx.put("rejected", withEvents(entry, kept))
  }
  return dismissed
}

/** Refused events were written by this device's `append`: written again, they are the same text. */
function withEvents(entry: RejectedEntry, events: readonly HeadwaterEvent[]): RejectedEntry {
  const text = events.map((event) => JSON.stringify(event)).join(",")
  return { ...entry, text, count: events.length, bytes: utf8Length(text) }
}

/** What somebody who waits for an entry has to know. */
export type Refusal = { readonly key: OutboxKey; readonly error: ErrorData }
