import { parseBatch } from "../../shared/batch.ts"
import { isEvent } from "../../shared/events.ts"
import type { OutboxEntry, OutboxKey } from "../../shared/outbox.ts"

/** An entry that waits for the edge. Without a key it waits for the disk as well. */
export type PendingEntry = Omit<OutboxEntry, "key"> & {
  readonly messages: readonly unknown[]
  key: OutboxKey | undefined
}

/** An entry that the app has just appended. */
export function appendedEntry({ text, count, bytes, expected }: Omit<OutboxEntry, "key">): PendingEntry {
  return { key: undefined, text, count, bytes, expected, messages: parseBatch(text) }
}

/** An entry as the disk has it. */
export function foundEntry(entry: OutboxEntry): PendingEntry {
  return { ...appendedEntry(entry), key: entry.key }
}

/** The keys of those that are on the disk. */
export function keysOf(entries: readonly Pick<PendingEntry, "key">[]): OutboxKey[] {
  return entries.flatMap(({ key }) => key ?? [])
}

/** Entries without a key were appended after all that have one, and keep their order. */
export function inOrder(a: PendingEntry, b: PendingEntry): number {
  return (a.key ?? Number.MAX_SAFE_INTEGER) - (b.key ?? Number.MAX_SAFE_INTEGER)
}

/** An entry is named by its first event. */
export function idOf({ messages: [first] }: PendingEntry): unknown {
  return isEvent(first) ? first.id : undefined
}

/** Gives pending entries the keys that the disk has given them since. Answers which were which. */
export function rekey(
  pending: readonly PendingEntry[],
  stored: readonly OutboxEntry[],
): Map<OutboxKey, OutboxKey> {
  const keys = new Map<OutboxKey, OutboxKey>()
  const named = new Map(pending.map((entry) => [idOf(entry), entry]))
  for (const found of stored) {
    const entry = named.get(idOf(foundEntry(found)))
    if (entry?.key === undefined) continue
    keys.set(entry.key, found.key)
    entry.key = found.key
  }
  return keys
}
