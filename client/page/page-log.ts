import type { EventId, StreamPath } from "../../shared/ids.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { browserClock } from "../clock.ts"
import { AppendLog } from "../disk/append-log.ts"
import { CheckedStorage } from "../disk/checked-storage.ts"
import { freeSnapshots } from "../disk/idb-snapshots.ts"
import { openIdbStorage } from "../disk/idb-storage.ts"
import { StorageWithSpareRoom } from "../disk/spare-room.ts"
import { type Durability, NoStorage } from "../disk/storage.ts"
import type { NewEntry } from "../port.ts"
import type { ThreadLink } from "./thread-link.ts"

/** What a page that finds damage makes its notes of. */
const PAGE = { now: browserClock.now, newId: () => crypto.randomUUID() }

/** A page's way to its device's log. */
export interface PageLog {
  append(stream: StreamPath, entries: readonly NewEntry[], durability: Durability): Promise<OutboxKey[]>
  replace(stream: StreamPath, entry: NewEntry, replaced: EventId): Promise<OutboxKey>
  flush(): Promise<void>
  close(): void
}

/**
 * Opens the log on disk. Undefined when the browser gives this page no storage at all.
 *
 * @throws HeadwaterError when it has storage, which cannot be used now: that is no reason to do without.
 */
export async function openDiskLog(name: string): Promise<AppendLog | undefined> {
  try {
    const storage = new StorageWithSpareRoom(await openIdbStorage(name), () => freeSnapshots(name))
    const log = new AppendLog(new CheckedStorage(storage, PAGE))
    const { health } = log
    health.onChange(({ kind }) => kind === "deleted" && health.renew()) // a page knows nothing of what it held
    return log
  } catch (reason) {
    if (reason instanceof NoStorage) return undefined
    throw reason
  }
}

/** The log that a thread keeps in its memory: the page has no other way to it. */
export function threadLog(link: ThreadLink): PageLog {
  return {
    append: (stream, entries) => link.ask(link.engine.append(stream, entries)),
    replace: (stream, entry, replaced) => link.ask(link.engine.replace(stream, entry, replaced)),
    flush: async () => {},
    close() {},
  }
}
