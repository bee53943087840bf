import { passes } from "../../shared/common-place.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import { firstPosition, type OutboxEntry } from "../../shared/outbox.ts"
import type { StoredPage, StreamRecord } from "./records.ts"
import { recordOf, type StoredEntry } from "./records.ts"
import type { ReadTransaction, Storage, WriteTransaction } from "./storage.ts"
import { beginTerm, holdTerm } from "./terms.ts"

/** Where a log goes back to, and what goes with that. */
export type WayBack = {
  /** Where it had got to when all this was found out. */
  readonly head: Offset
  /** Where it goes back to: between two pages. */
  readonly common: Offset
  /** Where the pages end that go. */
  readonly gone: readonly Offset[]
  /** What is put into the outbox before all that waits there. */
  readonly entries: readonly Omit<OutboxEntry, "key">[]
  /** Who produces from there on. */
  readonly fresh: ProducerId
}

/** Behind every offset. */
export const LAST_OFFSET = "\uffff"

/** Whether the stored log of a stream has passed a place. */
export async function hasPassed(tx: ReadTransaction, stream: StreamPath, place: Offset): Promise<boolean> {
  const range = { after: [stream, place], upTo: [stream, LAST_OFFSET] }
  const [at, [behind]] = await Promise.all([
    tx.get("pages", [stream, place]),
    tx.getAll("pages", range, 1) as Promise<StoredPage[]>, // `DeviceLog.save` writes these
  ])
  return at !== undefined || (behind !== undefined && passes(behind, place))
}

/**
 * Takes the way back, and ends the term of whoever leads. False, and nothing is changed, when the log has moved on.
 *
 * The term is ended first, so that nobody else writes what is read then, and no transaction waits for this thread,
 * which may be frozen. What the app appends in between goes before what waited.
 *
 * @throws Exists when another tab has begun a term meanwhile; nothing is changed.
 */
export async function goBack(storage: Storage, stream: StreamPath, way: WayBack): Promise<boolean> {
  const term = await beginTerm(storage)
  const read = (tx: ReadTransaction) =>
    Promise.all([
      tx.get("streams", stream) as Promise<StreamRecord | undefined>, // `DeviceLog.save` writes these
      tx.getAll("outbox", {}) as Promise<StoredEntry[]>, // `DeviceLog.append` writes these
    ])
  const [record, outbox] = await storage.read(read, ["streams", "outbox"])
  if (record?.head !== way.head) return false
  const waiting = outbox.filter((entry) => entry.stream === stream)
  const write = (tx: WriteTransaction) => {
    holdTerm(tx, term)
    for (const next of way.gone) tx.delete("pages", [stream, next])
    tx.put("streams", { stream, head: way.common, ...firstPosition(way.fresh) })
    for (const { key } of waiting) tx.delete("outbox", key)
    for (const entry of [...way.entries, ...waiting]) void tx.add(recordOf(stream, entry))
  }
  await storage.write("strict", write, ["outbox", "pages", "streams", "meta"])
  return true
}
