import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import type { PendingEntry } from "./pending-entry.ts"

/** Hears what becomes of a stream's log, in the turn in which it happens. */
export interface ReplicaListener {
  /** Entries were appended above everything else. */
  appended(stream: StreamPath, entries: readonly PendingEntry[]): void
  /** The edge's log grew by these messages; `confirmed` are the entries that ceased to be pending by it. */
  advanced(stream: StreamPath, page: Page, confirmed: readonly PendingEntry[]): void
  /** Pending entries went away or came in between. */
  reordered(stream: StreamPath): void
}
