import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { isAfter, type Offset, START } from "../../shared/offset.ts"
import type { Replica } from "../replica/replica.ts"
import type { ViewTerms } from "../state/open-view-state.ts"
import type { ViewState } from "../state/view-state.ts"
import { openState, type ViewBuildParts } from "./view-build.ts"
import { fill } from "./view-fill.ts"
import type { WholeLog } from "./whole-log.ts"

export type Past = {
  /** The streams that the view follows. */
  readonly replicas: readonly Replica[]
  /** Streams that are not named are folded as far as they go. */
  readonly offsets: Readonly<Record<string, Offset>>
  /** Which snapshots the fold may begin with. */
  readonly begin: "any" | "none"
}

/**
 * A view's rows as they were when its streams ended at these places, folded from a snapshot of before, or from nothing.
 *
 * @throws HeadwaterError `invalid-offset` when a log has no such place, or becomes another meanwhile;
 * `storage-unavailable`.
 */
export async function pastState(
  parts: ViewBuildParts & { readonly whole: Pick<WholeLog, "passed"> },
  terms: ViewTerms,
  { replicas, offsets, begin }: Past,
): Promise<ViewState> {
  const unknown = Object.keys(offsets).find((path) => !replicas.some(({ stream }) => stream === path))
  if (unknown !== undefined) throw noPlace(unknown, "a stream of the view")
  const wanted = new Map(replicas.map(({ stream, head }) => [stream, offsets[stream] ?? head]))
  for (const { stream, head } of replicas) {
    const upTo = wanted.get(stream)
    const isThere = upTo === head || upTo === START || (await parts.whole.passed(stream, upTo ?? head))
    if (!isThere) throw noPlace(stream, `a place of its log on this device, not ${upTo}`)
  }
  const isBefore = ([stream, head]: [StreamPath, Offset]) => !isAfter(head, wanted.get(stream) ?? START)
  const state = await openState(parts, terms, new Map(replicas.map(({ stream, head }) => [stream, head])), {
    isUsable: ({ heads }) => begin === "any" && [...heads].every(isBefore),
  })
  const restarts = replicas.map((replica) => replica.restarts)
  try {
    const isWhole = await fill(parts, {
      wanted: () => [...wanted].map(([stream, upTo]) => ({ stream, upTo })),
      heads: state.heads,
      fold: (batch) => state.rebase([batch], []),
      isOver: () => replicas.some((replica, at) => replica.restarts !== restarts[at]),
    })
    if (isWhole) return state
  } catch (reason) {
    state.close()
    throw reason
  }
  state.close()
  throw noPlace(terms.name, "logs that stay as they are meanwhile")
}

function noPlace(what: string, expected: string): HeadwaterError {
  return new HeadwaterError("invalid-offset", `${what}: expected ${expected}.`)
}
