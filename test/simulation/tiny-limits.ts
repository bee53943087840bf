import { COMMON_LIMITS, VIEW_LIMITS } from "../../shared/common-limits.ts"
import { LIMITS } from "../../shared/limits.ts"

/*
 * Bounds so small that a short run meets them: batches that do not hold all that waits, sockets that are too far
 * behind, reads of many pages. To be imported before anything that reads a bound while it is loaded.
 */
const TINY = {
  batchEventsMax: 5,
  batchBytesMax: 4_000,
  socketCatchUpBytesMax: 600,
  readBytesMax: 2_000,
  foldEventsPerTurn: 3,
  snapshotMessagesMin: 6,
  snapshotQuietMs: 200,
  snapshotMsInterval: 3_000,
  snapshotPendingMax: 20,
  edgeSnapshotMessagesMin: 4,
}

Object.assign(COMMON_LIMITS, TINY)
Object.assign(VIEW_LIMITS, TINY)
Object.assign(LIMITS, TINY)
