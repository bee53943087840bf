import type { StreamPath } from "../../shared/ids.ts"
import { isPattern } from "../../shared/path-pattern.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { AskedView } from "../port.ts"
import type { ViewTerms } from "../state/open-view-state.ts"
import type { ViewStatus } from "../status.ts"
import type { EdgeStart } from "./edge-start.ts"
import { followsStream } from "./open-view.ts"
import { dropStart, startState, type ViewBuildParts, type ViewStart } from "./view-build.ts"

/** What a view is begun with, and how it came to that. */
export type Begun = { readonly start: ViewStart; readonly edgeStart: ViewStatus["edgeStart"] }

export type ViewBeginParts = ViewBuildParts & {
  readonly edgeStart: EdgeStart
  readonly log: Pick<DeviceLog, "streams">
  /** Opens a stream that a view follows. */
  open(stream: StreamPath): Promise<unknown>
}

/**
 * Begins to make a view's rows: with those that this device has written down, or, where it has none and the app has
 * named a view of the edge, with those, if it can. Then opens the streams: not before, since they are read from where
 * the rows end.
 *
 * @throws HeadwaterError `invalid-view`, or `storage-unavailable` when a stream cannot be opened.
 */
export async function beginView(
  parts: ViewBeginParts,
  terms: ViewTerms,
  { edgeView }: AskedView,
): Promise<Begun> {
  const { snapshots, edgeStart } = parts
  const start = startState(parts, terms)
  try {
    const isLocal = edgeView === undefined || (await snapshots.has(terms))
    const started = isLocal ? undefined : await edgeStart.begin(terms, edgeView, start.empty)
    await openStreams(parts, terms)
    if (started?.kind !== "begun") return { start, edgeStart: started }
    const { snapshot } = started
    void snapshots.keep(terms, snapshot)
    return { start: { ...start, snapshot: Promise.resolve(snapshot) }, edgeStart: { kind: "begun" } }
  } catch (reason) {
    dropStart(start)
    throw reason
  }
}

async function openStreams({ log, open }: ViewBeginParts, terms: ViewTerms): Promise<void> {
  const reads = Object.values(terms.streams)
  const known = reads.some(isPattern) ? await log.streams() : []
  const followed = known.filter((stream) => followsStream(terms, stream))
  const exact = reads.filter((read) => !isPattern(read)) as StreamPath[] // the page has parsed them
  await Promise.all([...new Set([...exact, ...followed])].map((stream) => open(stream)))
}
