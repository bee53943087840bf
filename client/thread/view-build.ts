import type { StreamPath } from "../../shared/ids.ts"
import { eventsBetween, type Offset, START } from "../../shared/offset.ts"
import type { Snapshot } from "../disk/snapshots.ts"
import type { Host } from "../host.ts"
import type { Replica } from "../replica/replica.ts"
import { type EmptyView, emptyView, restoreViewState, type ViewTerms } from "../state/open-view-state.ts"
import { type FoldPlace, ViewState } from "../state/view-state.ts"
import { type FillParts, fill } from "./view-fill.ts"
import type { ViewSnapshots } from "./view-snapshots.ts"

export type ViewBuildParts = FillParts & {
  readonly host: Pick<Host, "now" | "after" | "turn" | "openSql">
  readonly snapshots: ViewSnapshots
}

/** How many messages are folded, of how many. */
export type Progress = { readonly done: number; readonly total: number }

export function progressOf(heads: ReadonlyMap<StreamPath, Offset>, replicas: readonly Replica[]): Progress {
  let [done, total] = [0, 0]
  for (const { stream, head } of replicas) {
    done += eventsBetween(START, heads.get(stream) ?? START) ?? 0
    total += eventsBetween(START, head) ?? 0
  }
  return { done, total }
}

/** The making of a view's rows, from a snapshot or from nothing, beside whatever is shown meanwhile. */
export class ViewBuild {
  readonly #parts: ViewBuildParts
  readonly #terms: ViewTerms
  readonly #replicas: () => Replica[]
  /** For the first try. */
  #start: ViewStart | undefined
  #state: ViewState | undefined
  #hasEnded = false

  /** @param replicas Those that the view follows, now: some may join while it is being made. */
  constructor(parts: ViewBuildParts, terms: ViewTerms, replicas: () => Replica[], start?: ViewStart) {
    this.#parts = parts
    this.#terms = terms
    this.#replicas = replicas
    this.#start = start
  }

  /**
   * Folds until no stream has more, and calls `filled` in that very turn, before any can have more again: the state is
   * its own then. Undefined when the making was ended.
   *
   * @throws HeadwaterError `invalid-view`; `storage-unavailable` when the log cannot be read.
   */
  async run<T>(filled: (state: ViewState) => T): Promise<T | undefined> {
    while (!this.#hasEnded) {
      const opened = new Map(this.#replicas().map(({ stream, head }) => [stream, head]))
      const state = await openState(this.#parts, this.#terms, opened, { start: this.#takeStart() })
      this.#state = state
      try {
        if (await this.#fill(state)) return filled(state)
      } catch (reason) {
        state.close()
        throw reason
      } finally {
        this.#state = undefined
      }
      state.close()
    }
    return undefined
  }

  #takeStart(): ViewStart | undefined {
    const start = this.#start
    this.#start = undefined
    return start
  }

  progress(): Progress {
    return progressOf(this.#state?.heads ?? new Map(), this.#replicas())
  }

  /** It is not wanted any more. Idempotent. */
  end(): void {
    this.#hasEnded = true
  }

  /** False when the log has become another meanwhile, or nobody wants the rows. */
  #fill(state: ViewState): Promise<boolean> {
    const restarts = new Map(this.#replicas().map((replica) => [replica, replica.restarts]))
    const isOther = (replica: Replica) => (restarts.get(replica) ?? replica.restarts) !== replica.restarts
    return fill(this.#parts, {
      wanted: () => this.#replicas().map(({ stream, head }) => ({ stream, upTo: head })),
      heads: state.heads,
      fold: (batch) => state.rebase([batch], []),
      isOver: () => this.#hasEnded || this.#replicas().some(isOther),
    })
  }
}

/** What a state begins with. All of it takes a while, and none waits for another. */
export type ViewStart = {
  readonly empty: Promise<EmptyView>
  readonly snapshot: Promise<Snapshot | undefined>
}

/** Begins what a state of these terms needs. */
export function startState({ host, snapshots }: ViewBuildParts, terms: ViewTerms): ViewStart {
  const empty = host.openSql().then((database) => emptyView(database, terms))
  const start = { empty, snapshot: snapshots.load(terms) }
  start.empty.catch(() => {}) // whoever takes the start finds out
  return start
}

/** What was begun is not wanted. */
export function dropStart({ empty }: ViewStart): void {
  empty.then(
    ({ database }) => database.close(),
    () => {}, // then there is none
  )
}

/**
 * The view's state as a snapshot has it, or an empty one.
 *
 * @param opened How far this tab has come with the view's streams.
 */
export async function openState(
  parts: ViewBuildParts,
  terms: ViewTerms,
  opened: ReadonlyMap<StreamPath, Offset>,
  { isUsable = () => true, start = startState(parts, terms) }: OpenStateOptions = {},
): Promise<ViewState> {
  const { host, snapshots } = parts
  const [empty, found] = await Promise.all([start.empty, start.snapshot])
  const place = found === undefined ? undefined : await snapshots.placeOf(terms, found, opened)
  if (found !== undefined && place !== undefined && isUsable(place)) {
    const restored = restoreViewState(await host.openSql(found.bytes), empty, terms, place, host)
    if (restored !== undefined) {
      empty.database.close()
      return restored
    }
  }
  return new ViewState({ ...terms, ...empty, pace: host })
}

type OpenStateOptions = {
  /** Whether the state may begin at a place. */
  readonly isUsable?: (place: FoldPlace) => boolean
  readonly start?: ViewStart | undefined
}
