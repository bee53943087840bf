import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import { NO_SNAPSHOTS } from "../disk/snapshots.ts"
import { ViewSkips } from "../disk/view-skips.ts"
import type { Host } from "../host.ts"
import type { EdgeStream } from "../sync/edge.ts"
import { EdgeView } from "../sync/edge-view.ts"
import type { Tokens } from "../sync/tokens.ts"
import { EdgeStart } from "./edge-start.ts"
import type { Disk } from "./moving.ts"
import { ViewSnapshots } from "./view-snapshots.ts"
import { Views, type ViewsParts } from "./views.ts"

export type SessionViewsParts = Disk &
  Pick<ViewsParts, "whole" | "open" | "replicas" | "changed" | "skipped"> & {
    readonly host: Host
    readonly edge: string
    readonly tokens: Tokens | undefined
    readonly device: ProducerId
    /** The name of the log whose rows are kept; undefined: nothing is kept. */
    readonly keptAs: string | undefined
    edgeOf(stream: StreamPath): EdgeStream
    isPaused(): boolean
    wentAhead(streams: readonly StreamPath[]): Promise<void>
  }

/** The views of one tab, with what they begin from: rows on this device, rows at the edge, the log. */
export function openSessionViews({ keptAs, edge, tokens, ...parts }: SessionViewsParts): Views {
  const { host, storage, log, device, edgeOf, isPaused, wentAhead } = parts
  const kept = keptAs === undefined ? NO_SNAPSHOTS : host.openSnapshots(keptAs)
  const viewAt = (name: StreamPath) => new EdgeView(host, edge, name, tokens)
  return new Views({
    ...parts,
    snapshots: new ViewSnapshots({ host, log, snapshots: kept }),
    skips: new ViewSkips(storage),
    edgeStart: new EdgeStart({ host, log, device, viewAt, edgeOf, isPaused, wentAhead }),
  })
}
