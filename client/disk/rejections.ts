import { parseBatch } from "../../shared/batch.ts"
import { type ErrorData, HeadwaterError } from "../../shared/errors.ts"
import { type HeadwaterEvent, isEvent, utf8Length } from "../../shared/events.ts"
import type { EventId, Millis, StreamPath } from "../../shared/ids.ts"
import type { OutboxEntry, OutboxKey } from "../../shared/outbox.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"
import { recordOf } from "./records.ts"
import { Exists, type ReadTransaction, type Storage, type WriteTransaction } from "./storage.ts"

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
  async list(stream: StreamPath): Promise<RejectedEntry[]> {
    return (await this.#look(stream)).entries
  }

  /** Forgets refused events; those that are not there are passed over. */
  dismiss(stream: StreamPath, ids: readonly EventId[]): Promise<void> {
    return this.#change(stream, async (entries, number) => {
      const [changed] = without(entries, new Set(ids))
      if (changed.length === 0) return
      await this.#storage.write("strict", (tx) => change(tx, number, changed), ["rejected", "meta"])
    })
  }

  /**
   * Appends an entry in place of a refused event, which is forgotten in the same transaction.
   *
   * @throws HeadwaterError `not-rejected` when there is no such event; nothing is appended then.
   */
  replace(stream: StreamPath, entry: Omit<OutboxEntry, "key">, replaced: EventId): Promise<OutboxKey> {
    return this.#change(stream, async (entries, number) => {
      const [changed, count] = without(entries, new Set([replaced]))
      if (count === 0) throw notRejected(stream, replaced)
      let key: Promise<number> | undefined
      const write = (tx: WriteTransaction) => {
        change(tx, number, changed)
        key = tx.add(recordOf(stream, entry))
      }
      await this.#storage.write("strict", write, ["outbox", "rejected", "meta"])
      return (await key) as OutboxKey // the disk's keys are what the brand means
    })
  }

  /** Acts on the list as it is, and once more where another tab has changed it meanwhile. */
  async #change<T>(
    stream: StreamPath,
    act: (entries: RejectedEntry[], number: number) => Promise<T>,
  ): Promise<T> {
    for (let least = 0; ; ) {
      const { entries, changes } = await this.#look(stream)
      const number = Math.max(least, changes)
      try {
        return await act(entries, number)
      } catch (reason) {
        if (!(reason instanceof Exists)) throw reason
        least = number + 1 // also where the count was lost
      }
    }
  }

  async #look(stream: StreamPath): Promise<{ entries: RejectedEntry[]; changes: number }> {
    const read = (tx: ReadTransaction) =>
      Promise.all([
        tx.getAll("rejected", {}) as Promise<RejectedEntry[]>, // `rejectIn` writes these
        tx.get("meta", CHANGES) as Promise<{ readonly count: number } | undefined>, // `change` writes it
      ])
    const [entries, changes] = await this.#storage.read(read, ["rejected", "meta"])
    return { entries: entries.filter((entry) => entry.stream === stream), changes: changes?.count ?? 0 }
  }
}

/*
 * Two tabs that take events off the same entry must not undo each other's work, and no transaction may wait for a
 * thread between reading and writing, since it may be frozen. So changes are counted, and each takes the mark of its
 * number: where another has taken it since the list was read, the transaction fails, and the list is read again.
 */
const CHANGES = "rejected changes"

function change(tx: WriteTransaction, before: number, entries: readonly RejectedEntry[]): void {
  tx.insert("meta", { name: `${CHANGES} ${before}` })
  tx.delete("meta", `${CHANGES} ${before - MARKS_KEPT}`)
  tx.put("meta", { name: CHANGES, count: before + 1 })
  for (const entry of entries) {
    if (entry.count === 0) tx.delete("rejected", entry.key)
    else tx.put("rejected", entry)
  }
}

/** Marks of changes that a tab may still be about to make on an old list. */
const MARKS_KEPT = 1_000

/** The entries that lack some of their events then, and how many events those are. */
function without(
  entries: readonly RejectedEntry[],
  ids: ReadonlySet<EventId>,
): [changed: RejectedEntry[], count: number] {
  const changed: RejectedEntry[] = []
  let count = 0
  for (const entry of entries) {
    const events = parseBatch(entry.text).filter(isEvent)
    const kept = events.filter(({ id }) => !ids.has(id))
    if (kept.length === events.length) continue
    count += events.length - kept.length
    changed.push(withEvents(entry, kept))
  }
  return [changed, count]
}

export function notRejected(stream: StreamPath, id: EventId): HeadwaterError {
  return new HeadwaterError("not-rejected", `No refused event ${id} of ${stream} is on this device.`)
}

/** Moves an entry out of the outbox. */
export function rejectIn(tx: WriteTransaction, entry: RejectedEntry): void {
  tx.delete("outbox", entry.key)
  tx.put("rejected", entry)
}

/** Refused events were written by this device's `append`: written again, they are the same text. */
function withEvents(entry: RejectedEntry, events: readonly HeadwaterEvent[]): RejectedEntry {
  const text = events.map((event) => JSON.stringify(event)).join(",")
  return { ...entry, text, count: events.length, bytes: utf8Length(text) }
}

/** What somebody who waits for an entry has to know. */
export type Refusal = { readonly key: OutboxKey; readonly error: ErrorData }
