import type { EventId, StreamPath } from "../../shared/ids.ts"
import { eventsBetween, START } from "../../shared/offset.ts"
import type { Halt } from "../../shared/view/fold.ts"
import type { SnapshotManifest } from "../../shared/view/snapshot.ts"
import { cursorOf } from "./cursor.ts"
import type { Feed } from "./feeds.ts"

/** How far a view is folded, as a snapshot says it. */
export type SnapshotPlace = Pick<SnapshotManifest, "cursor" | "halts"> & {
  /** How many messages lie before. */
  readonly messages: number
}

/**
 * Where a client stands that takes the rows over. Undefined when there is no such client: it has one place for all
 * sources of a stream, and knows no halt but at an event.
 */
export function snapshotPlace(feeds: readonly Feed[]): SnapshotPlace | undefined {
  const cursor = cursorOf(feeds)
  const halts: Halt[] = []
  for (const { source, stream, offset, halt } of feeds) {
    if (halt === undefined) {
      if (offset !== cursor[stream]) return undefined
    } else if (halt.kind === "event") {
      const { id, type } = halt.event
      const eventId = id as EventId // compared with ids, no more
      halts.push({ source, stream, offset: halt.offset, eventId, eventType: type, message: halt.message })
    } else return undefined
  }
  const begun = Object.entries(cursor).filter(([, offset]) => offset !== START)
  const messages = begun.reduce((sum, [, offset]) => sum + (eventsBetween(START, offset) ?? 0), 0)
  return {
    cursor: Object.fromEntries(begun) as { [stream: StreamPath]: (typeof begun)[0][1] },
    halts,
    messages,
  }
}
