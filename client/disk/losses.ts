import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { isAfter, type Offset } from "../../shared/offset.ts"
import type { OutboxEntry, OutboxKey } from "../../shared/outbox.ts"
import type { StreamRecord } from "./records.ts"
import { recordOf, type StoredEntry } from "./records.ts"
import { CLEARED, type WriteTransaction } from "./storage.ts"

// What is done to a log that was lost, or is to be.

/** An entry without its place: nobody has given it a key, or the one who did is gone. */
type Unkeyed = Omit<OutboxEntry, "key">

/** Adds entries that the outbox does not have. Undefined, and none is added, when the log goes on behind `head`. */
export async function keepEntries(
  tx: WriteTransaction,
  stream: StreamPath,
  head: Offset,
  entries: readonly Unkeyed[],
): Promise<OutboxKey[] | undefined> {
  const [record, waiting, rejected] = await Promise.all([
    tx.get("streams", stream) as Promise<StreamRecord | undefined>, // the log writes these
    tx.getAll("outbox", {}) as Promise<StoredEntry[]>, // and these
    tx.getAll("rejected", {}) as Promise<StoredEntry[]>, // they were the outbox's
  ])
  if (record !== undefined && isAfter(record.head, head)) return undefined
  const here = [...waiting, ...rejected].filter((entry) => entry.stream === stream)
  const known = new Map(here.map((entry) => [entry.text, entry.key]))
  const keys = entries.map((entry) => known.get(entry.text) ?? tx.add(recordOf(stream, entry)))
  return (await Promise.all(keys)) as OutboxKey[] // the disk's keys are what the brand means
}

/** Says that all of it is to be deleted. @throws HeadwaterError `pending`, unless `force` is set. */
export async function condemn(tx: WriteTransaction, force: boolean): Promise<void> {
  const left = await Promise.all([tx.getAll("outbox", {}, 1), tx.getAll("rejected", {}, 1)])
  if (!force && left.flat().length > 0) {
    const message = "Events of this account are on this device alone. They would be lost."
    throw new HeadwaterError("pending", message)
  }
  tx.put("meta", { name: CLEARED })
}
