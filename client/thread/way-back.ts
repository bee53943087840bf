import { passes } from "../../shared/common-place.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import { firstPosition, type OutboxEntry } from "../../shared/outbox.ts"
import type { StoredPage, StreamRecord } from "./log.ts"
import { recordOf, type StoredEntry } from "./outbox-records.ts"
import type { ReadTransaction, WriteTransaction } from "./storage.ts"
import { endTerm } from "./terms.ts"

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

export const STORES_ON_THE_WAY = ["outbox", "pages", "streams", "meta"] as const

/** Behind every offset. */
const LAST_OFFSET = "\uffff"

/** Whether the stored log of a stream has passed a place. */
export async function hasPassed(tx: ReadTransaction, stream: StreamPath, place: Offset): Promise<boolean> {
  const range = { after: [stream, place], upTo: [stream, LAST_OFFSET] }
  const [at, [behind]] = await Promise.all([
    tx.get("pages", [stream, place]),
    tx.getAll("pages", range, 1) as Promise<StoredPage[]>, // `DeviceLog.save` writes these
  ])
  return at !== undefined || (behind !== undefined && passes(behind, place))
}

/** Takes the way back, and ends the term of whoever leads. False, and nothing is changed, when the log has moved on. */
export async function goBack(
  tx: WriteTransaction,
  stream: StreamPath,
  { head, common, gone, entries, fresh }: WayBack,
): Promise<boolean> {
  const [record, outbox] = await Promise.all([
    tx.get("streams", stream) as Promise<StreamRecord | undefined>, // `DeviceLog.save` writes these
    tx.getAll("outbox", {}) as Promise<StoredEntry[]>, // `DeviceLog.append` writes these
  ])
  if (record?.head !== head) return false
  for (const next of gone) tx.delete("pages", [stream, next])
  tx.put("streams", { stream, head: common, ...firstPosition(fresh) })
  for (const entry of entries) void tx.add(recordOf(stream, entry))
  for (const entry of outbox) {
    if (entry.stream !== stream) continue
    tx.delete("outbox", entry.key)
    void tx.add(recordOf(stream, entry)) // behind what was there before it
  }
  await endTerm(tx)
  return true
}
