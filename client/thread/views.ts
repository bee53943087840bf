import { assert } from "../../shared/assert.ts"
import { parseBatch } from "../../shared/batch.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { Halt } from "../../shared/view/fold.ts"
import type { ViewNumber } from "../port.ts"
import { openViewState, type ViewState } from "../state/view-state.ts"
import type { Host } from "./host.ts"
import type { DeviceLog } from "./log.ts"
import type { PendingEntry, Replica, ReplicaListener } from "./replica.ts"

/** About as long as one transaction takes. */
const DISK_MS = 2

/** Messages of one stream, as a view folds them. */
type Messages = { readonly stream: StreamPath; readonly messages: readonly unknown[] }

/** Pending events that are folded again for each page without a thought: it takes well below a millisecond. */
const REFOLD_AT_ONCE_MAX = 100

/** How many pending events may be folded again per millisecond of waiting: about a fifth of what a thread can. */
const REFOLD_PER_MS = 50

type OpenView = {
  readonly state: ViewState
  readonly replicas: readonly Replica[]
  /** What the edge has ordered since the last rebase. */
  confirmed: Messages[]
  stopTimer: (() => void) | undefined
}

/**
 * The open views of one thread: each follows its streams from the first event. What is appended here is folded in the
 * turn of the append. What the edge has ordered is folded below all that is pending, which then has to be folded
 * again; when that is much, pages gather for a moment, so that a backlog and a busy stream together do not stop the
 * thread.
 */
export class Views implements ReplicaListener {
  readonly #host: Host
  readonly #log: DeviceLog
  readonly #folded: () => void
  readonly #views = new Map<ViewNumber, OpenView>()
  #numbers = 0

  /** `folded` is called when rows, and with them halts, may be others. */
  constructor(host: Host, log: DeviceLog, folded: () => void) {
    this.#host = host
    this.#log = log
    this.#folded = folded
  }

  /**
   * Opens a view and folds everything that this device has of its streams.
   * @throws HeadwaterError `invalid-view`.
   */
  async open(
    name: string,
    view: ViewData,
    streams: Record<string, StreamPath>,
    replicas: readonly Replica[],
  ): Promise<ViewNumber> {
    const state = openViewState(await this.#host.openSql(), name, view, streams)
    const number = ++this.#numbers
    try {
      await this.#fill(state, replicas, () => {
        this.#views.set(number, { state, replicas, confirmed: [], stopTimer: undefined })
        state.rebase([], pendingOf(replicas))
        this.#folded()
      })
    } catch (reason) {
      state.close()
      throw reason
    }
    return number
  }

  get(view: ViewNumber): ViewState {
    const found = this.#views.get(view)
    assert(found !== undefined, `view ${view} was opened by this thread`)
    return found.state
  }

  /** The sources that stand still, over all views. */
  halts(): Halt[] {
    return [...this.#views.values()].flatMap(({ state }) => state.halted())
  }

  appended(stream: StreamPath, entries: readonly PendingEntry[]): void {
    for (const { state } of this.#over(stream)) {
      for (const { messages } of entries) state.addPending(stream, messages)
      state.flush()
    }
  }

  advanced(stream: StreamPath, page: Page): void {
    if (page.messages.length === 0) return
    for (const view of this.#over(stream)) {
      view.confirmed.push({ stream, messages: page.messages })
      const pending = view.replicas.reduce((sum, replica) => sum + replica.pendingEvents, 0)
      if (pending <= REFOLD_AT_ONCE_MAX) this.#rebase(view)
      else view.stopTimer ??= this.#host.after(pending / REFOLD_PER_MS, () => this.#rebase(view))
    }
  }

  reordered(stream: StreamPath): void {
    for (const view of this.#over(stream)) this.#rebase(view)
  }

  close(): void {
    for (const { state, stopTimer } of this.#views.values()) {
      stopTimer?.()
      state.close()
    }
    this.#views.clear()
  }

  #over(stream: StreamPath): OpenView[] {
    return [...this.#views.values()].filter(({ replicas }) =>
      replicas.some((replica) => replica.stream === stream),
    )
  }

  /** Brings the rows to what the replicas hold. */
  #rebase(view: OpenView): void {
    view.stopTimer?.()
    view.stopTimer = undefined
    const confirmed = view.confirmed
    view.confirmed = []
    view.state.rebase(confirmed, pendingOf(view.replicas))
    view.state.flush()
    this.#folded()
  }

  /**
   * Folds the stored pages until no stream has more, and calls `filled` in that very turn, before any stream can have
   * more again. A replica that is ahead of its disk is waited for.
   */
  async #fill(state: ViewState, replicas: readonly Replica[], filled: () => void): Promise<void> {
    const heads = new Map<Replica, Offset>(replicas.map((replica) => [replica, START]))
    for (;;) {
      const behind = replicas.find((replica) => heads.get(replica) !== replica.head)
      if (behind === undefined) return filled()
      const { stream, head } = behind
      const span = { after: heads.get(behind) ?? START, upTo: head }
      for await (const pages of this.#log.pages(stream, span)) {
        const confirmed = pages.map(({ text }) => ({ stream, messages: parseBatch(text) }))
        state.rebase(confirmed, [])
        heads.set(behind, pages.at(-1)?.next ?? span.after)
      }
      const isBeingWritten = heads.get(behind) !== head
      if (isBeingWritten) await new Promise<void>((resolve) => this.#host.after(DISK_MS, resolve))
    }
  }
}

/** What is pending, stream by stream: a table is fed by one stream, so the order among streams means nothing. */
function pendingOf(replicas: readonly Replica[]): Messages[] {
  return replicas.flatMap(({ stream, pending }) => pending.map(({ messages }) => ({ stream, messages })))
}
