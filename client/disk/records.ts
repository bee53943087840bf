import type { StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import type { OutboxEntry, OutboxKey, ProducerPosition } from "../../shared/outbox.ts"

/** Where one stream stands on this disk. */
export type StreamRecord = ProducerPosition & { readonly stream: StreamPath; readonly head: Offset }

/** The part of a stream's record that is about producing. */
export function positionOf({ stream: _stream, head: _head, ...position }: StreamRecord): ProducerPosition {
  return position
}

/**
 * A page as stored. One that is absent has no text: its messages are at the edge alone, and the log goes on behind it.
 */
export type StoredPage = PageText & { readonly stream: StreamPath; readonly absent?: true }

/** What the names of records in `meta` begin with that say where a log's absent page ends, before the stream's path. */
export const ABSENT = "absent "

/** An entry of the outbox as stored: it says whose it is. */
export type StoredEntry = OutboxEntry & { readonly stream: StreamPath }

/** What the disk is given of an entry: the key is the disk's. */
export function recordOf(
  stream: StreamPath,
  { text, count, bytes, expected }: Omit<OutboxEntry, "key">,
): Omit<StoredEntry, "key"> {
  return { stream, text, count, bytes, ...(expected !== undefined && { expected }) }
}

/** Below every key that a disk gives. */
export const NO_KEY = 0 as OutboxKey // keys begin at 1
