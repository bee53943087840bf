import { VIEW_LIMITS } from "../../shared/common-limits.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { eventsBetween, type Offset, START } from "../../shared/offset.ts"
import { textSum } from "../../shared/text-sum.ts"
import { viewKey } from "../../shared/view/definition.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { Snapshot, Snapshots } from "../disk/snapshots.ts"
import type { Host } from "../host.ts"
import type { ViewTerms } from "../state/open-view-state.ts"
import type { FoldPlace } from "../state/view-state.ts"
import type { OpenView } from "./open-view.ts"

/** To be raised when a view would make other rows of the same events: what was saved before is not found then. */
const FOLD_VERSION = 1

export type ViewSnapshotsParts = {
  readonly host: Pick<Host, "now" | "after">
  readonly log: DeviceLog
  readonly snapshots: Snapshots
}

/** When views are written down, and whether what was written is of the log that there is. */
export class ViewSnapshots {
  readonly #parts: ViewSnapshotsParts
  readonly #due = new Map<OpenView, Due>()

  constructor(parts: ViewSnapshotsParts) {
    this.#parts = parts
  }

  /** The rows of a view as this device has written them down. Nobody has looked yet whether the log is the same. */
  load(terms: ViewTerms): Promise<Snapshot | undefined> {
    return this.#parts.snapshots.load(snapshotId(terms))
  }

  /** Whether rows of a view are written down here. */
  async has(terms: ViewTerms): Promise<boolean> {
    return (await this.#parts.snapshots.place(snapshotId(terms))) !== undefined
  }

  /** Keeps rows that came from elsewhere. */
  async keep(terms: ViewTerms, snapshot: Snapshot): Promise<void> {
    if (snapshot.bytes.length <= VIEW_LIMITS.snapshotBytesMax)
      await this.#parts.snapshots.save(snapshotId(terms), snapshot)
  }

  /**
   * Where a snapshot stands in the log. Undefined when it is of another log, or of streams that are not `opened`: then
   * it is dropped.
   *
   * @param opened How far this tab has come with the view's streams: what stands there need not be looked for.
   * @throws HeadwaterError `storage-unavailable` when the log cannot be read.
   */
  async placeOf(
    terms: ViewTerms,
    { heads, halts }: Snapshot,
    opened: ReadonlyMap<StreamPath, Offset>,
  ): Promise<FoldPlace | undefined> {
    const { snapshots, log } = this.#parts
    const place = { heads: new Map(Object.entries(heads) as [StreamPath, Offset][]), halts } // of a state's heads
    for (const [stream, head] of place.heads) {
      const reached = opened.get(stream)
      const isPassed = head === START || head === reached || (await log.passed(stream, head))
      if (reached !== undefined && isPassed) continue
      await snapshots.drop(snapshotId(terms))
      return undefined
    }
    return place
  }

  /** The view has got to some place: it is written down when that is worth it and nothing else is to be done. */
  settled(view: OpenView): void {
    const { host } = this.#parts
    const due = this.#due.get(view) ?? { stopTimer: () => {}, since: undefined, saved: 0 }
    this.#due.set(view, due)
    if (messagesBefore(view.state.heads) < due.saved + VIEW_LIMITS.snapshotMessagesMin) return
    due.since ??= host.now()
    due.stopTimer()
    const ms = Math.max(
      0,
      Math.min(VIEW_LIMITS.snapshotQuietMs, due.since + VIEW_LIMITS.snapshotMsInterval - host.now()),
    )
    due.stopTimer = host.after(ms, () => void this.#save(view, due))
  }

  /** What was written down of these terms is of no use. */
  drop(terms: ViewTerms): Promise<void> {
    return this.#parts.snapshots.drop(snapshotId(terms))
  }

  /** The view is closed. */
  forget(view: OpenView): void {
    this.#due.get(view)?.stopTimer()
    this.#due.delete(view)
  }

  close(): void {
    for (const view of [...this.#due.keys()]) this.forget(view)
    this.#parts.snapshots.close()
  }

  /** Unless another tab has done it. What is missed is tried again when the view has next got somewhere. */
  async #save(view: OpenView, due: Due): Promise<void> {
    const { snapshots } = this.#parts
    const id = snapshotId(view.terms)
    const stored = (await snapshots.place(id))?.messages ?? 0
    const isWanted = this.#due.get(view) === due && id === snapshotId(view.terms)
    if (!isWanted || !view.isSettled || view.pendingEvents() > VIEW_LIMITS.snapshotPendingMax) return
    due.since = undefined
    due.saved = stored
    const messages = messagesBefore(view.state.heads)
    if (messages < stored + VIEW_LIMITS.snapshotMessagesMin) return
    const { bytes, heads, halts } = view.state.image(view.pending())
    due.saved = messages
    if (bytes.length > VIEW_LIMITS.snapshotBytesMax) return
    await snapshots.save(id, { bytes, heads: Object.fromEntries(heads), halts, messages })
  }
}

/** When one view is written down. */
type Due = {
  stopTimer: () => void
  /** Since when it has been worth it. */
  since: number | undefined
  /** Messages before the place of the last one that is known. */
  saved: number
}

function messagesBefore(heads: ReadonlyMap<StreamPath, Offset>): number {
  return [...heads.values()].reduce((sum, head) => sum + (eventsBetween(START, head) ?? 0), 0)
}

/** Equal for terms that make the same rows of the same events. */
export function snapshotId({ view, streams, skips }: ViewTerms): string {
  const reads = Object.entries(streams).map(([source, stream]) => `${source} ${stream}`)
  const skipped = skips.map(({ source, eventId }) => `${source} ${eventId}`)
  return textSum([`${FOLD_VERSION}`, viewKey(view), ...reads.sort(), "skips", ...skipped.sort()])
}
