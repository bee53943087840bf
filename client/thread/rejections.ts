import { parseBatch } from "../../shared/batch.ts"
import { type ErrorData, HeadwaterError } from "../../shared/errors.ts"
import { type HeadwaterEvent, isEvent, utf8Length } from "../../shared/events.ts"
import type { EventId, Millis, StreamPath } from "../../shared/ids.ts"
import type { OutboxEntry, OutboxKey } from "../../shared/outbox.ts"
import { recordOf } from "./outbox-records.ts"
import type { PendingEntry } from "./pending-entry.ts"
import type { ReadTransaction, Storage, WriteTransaction } from "./storage.ts"

/** An entry that the edge has refused for good, as stored: under the key that the outbox gave it, and why. */
export type RejectedEntry = Omit<OutboxEntry, "expected"> & {
  readonly stream: StreamPath
  readonly error: ErrorData
  readonly at: Millis
}

/** Those of the entries that have one of the keys, as refused. */
export function rejectedOf(
  stream: StreamPath,
  entries: readonly PendingEntry[],
  {
    keys,
    error,
    at,
  }: { readonly keys: readonly OutboxKey[]; readonly error: ErrorData; readonly at: Millis },
): RejectedEntry[] {
  const refused = new Set(keys)
  return entries.flatMap(({ key, text, count, bytes }) =>
    key !== undefined && refused.has(key) ? [{ key, stream, text, count, bytes, error, at }] : [],
  )
}

/** An event that the edge has refused, or refused with others that were appended in the same task. */
export type RejectedEvent = HeadwaterEvent & { readonly error: ErrorData; readonly at: Millis }

export function eventsOf({ text, error, at }: RejectedEntry): RejectedEvent[] {
  return parseBatch(text)
    .filter(isEvent)
    .map((event) => ({ ...event, error, at }))
}

/** The refused entries of all streams. Each method is one transaction. */
export class Rejections {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  /** Those of a stream, in the order of appending. */
  list(stream: StreamPath): Promise<RejectedEntry[]> {
    return this.#storage.read((tx) => readRejected(tx, stream), ["rejected"])
  }

  /** Forgets refused events; those that are not there are passed over. */
  async dismiss(stream: StreamPath, ids: readonly EventId[]): Promise<void> {
    await this.#storage.write("strict", (tx) => dismissIn(tx, stream, new Set(ids)), ["rejected"])
  }

  /**
   * Appends an entry in place of a refused event, which is forgotten in the same transaction.
   *
   * @throws HeadwaterError `not-rejected` when there is no such event; nothing is appended then.
   */
  replace(stream: StreamPath, entry: Omit<OutboxEntry, "key">, replaced: EventId): Promise<OutboxKey> {
    return this.#storage.write(
      "strict",
      async (tx) => {
        const key = tx.add(recordOf(stream, entry))
        const dismissed = await dismissIn(tx, stream, new Set([replaced]))
        if (dismissed.length === 0) throw notRejected(stream, replaced)
        return (await key) as OutboxKey // the disk's keys are what the brand means
      },
      ["outbox", "rejected"],
    )
  }
}

export function notRejected(stream: StreamPath, id: EventId): HeadwaterError {
  return new HeadwaterError("not-rejected", `No refused event ${id} of ${stream} is on this device.`)
}

async function readRejected(tx: ReadTransaction, stream: StreamPath): Promise<RejectedEntry[]> {
  const entries = (await tx.getAll("rejected", {})) as RejectedEntry[] // `rejectIn` writes these
  return entries.filter((entry) => entry.stream === stream)
}

/** Moves an entry out of the outbox. */
export function rejectIn(tx: WriteTransaction, entry: RejectedEntry): void {
  tx.delete("outbox", entry.key)
  tx.put("rejected", entry)
}

/** Forgets some of the refused events of a stream. Answers which of them were there. */
async function dismissIn(
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
