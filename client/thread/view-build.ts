import type { StreamPath } from "../../shared/ids.ts"
import { eventsBetween, type Offset, START } from "../../shared/offset.ts"
import type { Host } from "../host.ts"
import type { Replica } from "../replica/replica.ts"
import { openViewState, restoreViewState, type ViewTerms } from "../state/open-view-state.ts"
import type { FoldPlace, ViewState } from "../state/view-state.ts"
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
  #state: ViewState | undefined
  #hasEnded = false

  /** @param replicas Those that the view follows, now: some may join while it is being made. */
  constructor(parts: ViewBuildParts, terms: ViewTerms, replicas: () => Replica[]) {
    this.#parts = parts
    this.#terms = terms
    this.#replicas = replicas
  }

  /**
   * Folds until no stream has more, and calls `filled` in that very turn, before any can have more again: the state is
   * its own then. Undefined when the making was ended.
   *
   * @throws HeadwaterError `invalid-view`; `storage-unavailable` when the log cannot be read.
   */
  async run<T>(filled: (state: ViewState) => T): Promise<T | undefined> {
    while (!this.#hasEnded) {
      const opened = this.#replicas().map(({ stream }) => stream)
      const state = await openState(this.#parts, this.#terms, opened)
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

/** The view's state as a snapshot has it, or an empty one. */
export async function openState(
  { host, snapshots }: ViewBuildParts,
  terms: ViewTerms,
  opened: readonly StreamPath[],
  isUsable: (place: FoldPlace) => boolean = () => true,
): Promise<ViewState> {
  const empty = await host.openSql()
  const snapshot = await snapshots.find(terms, opened)
  if (snapshot === undefined || !isUsable(snapshot.place)) return openViewState(empty, terms)
  const restored = restoreViewState(await host.openSql(snapshot.bytes), empty, terms, snapshot.place)
  return restored ?? openViewState(await host.openSql(), terms)
}
