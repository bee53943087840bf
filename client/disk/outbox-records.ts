import type { StreamPath } from "../../shared/ids.ts"
import type { OutboxEntry } from "../../shared/outbox.ts"

/** An entry of the outbox as stored: it says whose it is. */
export type StoredEntry = OutboxEntry & { readonly stream: StreamPath }

/** What the disk is given of an entry: the key is the disk's. */
export function recordOf(
  stream: StreamPath,
  { text, count, bytes, expected }: Omit<OutboxEntry, "key">,
): Omit<StoredEntry, "key"> {
  return { stream, text, count, bytes, ...(expected !== undefined && { expected }) }
}
