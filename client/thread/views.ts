import { assert } from "../../shared/assert.ts"
import { parseBatch } from "../../shared/batch.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { Halt } from "../../shared/view/fold.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { Host } from "../host.ts"
import type { ViewNumber } from "../port.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import type { ReplicaListener } from "../replica/replica-listener.ts"
import { openViewState, type ViewState } from "../state/view-state.ts"

/** About as long as one transaction takes. */
const DISK_MS = 2

/** Before a log that could not be read is tried again. */
const DISK_RETRY_MS = 1_000

/** Messages of one stream, as a view folds them. */
type Messages = { readonly stream: StreamPath; readonly messages: readonly unknown[] }

/** Pending events that are folded again for each page without a thought: it takes well below a millisecond. */
const REFOLD_AT_ONCE_MAX = 100

/** How many pending events may be folded again per millisecond of waiting: about a fifth of what a thread can. */
const REFOLD_PER_MS = 50

type OpenView = {
  /** Opens it once more, in an empty database. */
  readonly openState: () => Promise<ViewState>
  readonly replicas: readonly Replica[]
  state: ViewState
  /** Whether what is to replace `state` is being folded: it gets no pages until then. */
  isRefolding: boolean
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
  #isClosed = false
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
    const openState = async () => openViewState(await this.#host.openSql(), name, view, streams)
    const number = ++this.#numbers
    await this.#fill(openState, replicas, (state) => {
      const opened = { openState, replicas, state, isRefolding: false, confirmed: [], stopTimer: undefined }
      this.#views.set(number, opened)
    })
    return number
  }

  /** The stream's log is another than the one that was folded: folds it anew, beside the rows that are shown. */
  refold(stream: StreamPath): void {
    for (const view of this.#over(stream)) if (!view.isRefolding) void this.#refold(view) // one notices by itself
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
      if (view.isRefolding) continue // what replaces it reads the page from the disk
      view.confirmed.push({ stream, messages: page.messages })
      const pending = view.replicas.reduce((sum, replica) => sum + replica.pendingEvents, 0)
      if (pending <= REFOLD_AT_ONCE_MAX) this.#rebase(view)
      else view.stopTimer ??= this.#host.after(pending / REFOLD_PER_MS, () => this.#rebase(view))
    }
  }

  reordered(stream: StreamPath): void {
    for (const view of this.#over(stream)) if (!view.isRefolding) this.#rebase(view)
  }

  close(): void {
    this.#isClosed = true
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

  /** Tried until the disk lets itself be read: rows of a log that is no more are better than none. */
  async #refold(view: OpenView): Promise<void> {
    view.isRefolding = true
    view.stopTimer?.()
    try {
      await this.#fill(view.openState, view.replicas, (state) => replace(view, state))
    } catch (reason) {
      if (!(reason instanceof HeadwaterError)) throw reason
      view.stopTimer = this.#host.after(DISK_RETRY_MS, () => void this.#refold(view))
    }
  }

  /**
   * Folds the stored pages into a new state until no stream has more, and calls `filled` in that very turn, before any
   * stream can have more again.
   */
  async #fill(
    openState: OpenView["openState"],
    replicas: readonly Replica[],
    filled: (state: ViewState) => void,
  ): Promise<void> {
    while (!this.#isClosed) {
      const state = await openState()
      try {
        if (await this.#foldPages(state, replicas)) {
          state.rebase([], pendingOf(replicas))
          filled(state)
          return this.#folded()
        }
      } catch (reason) {
        state.close()
        throw reason
      }
      state.close()
    }
  }

  /** False when the log has become another meanwhile. A replica that is ahead of its disk is waited for. */
  async #foldPages(state: ViewState, replicas: readonly Replica[]): Promise<boolean> {
    const heads = new Map<Replica, Offset>(replicas.map((replica) => [replica, START]))
    const restarts = replicas.map((replica) => replica.restarts)
    const isSame = () => !this.#isClosed && replicas.every((replica, at) => replica.restarts === restarts[at])
    while (isSame()) {
      const behind = replicas.find((replica) => heads.get(replica) !== replica.head)
      if (behind === undefined) return true
      const { stream, head } = behind
      const span = { after: heads.get(behind) ?? START, upTo: head }
      for await (const pages of this.#log.pages(stream, span)) {
        if (!isSame()) return false
        const confirmed = pages.map(({ text }) => ({ stream, messages: parseBatch(text) }))
        state.rebase(confirmed, [])
        heads.set(behind, pages.at(-1)?.next ?? span.after)
      }
      const isBeingWritten = heads.get(behind) !== head
      if (isBeingWritten) await new Promise<void>((resolve) => this.#host.after(DISK_MS, resolve))
    }
    return false
  }
}

/** Shows the rows of another state from now on. */
function replace(view: OpenView, state: ViewState): void {
  const old = view.state
  view.stopTimer?.()
  Object.assign(view, { state, isRefolding: false, confirmed: [], stopTimer: undefined })
  state.replace(old)
  old.close()
}

/** What is pending, stream by stream: a table is fed by one stream, so the order among streams means nothing. */
function pendingOf(replicas: readonly Replica[]): Messages[] {
  return replicas.flatMap(({ stream, pending }) => pending.map(({ messages }) => ({ stream, messages })))
}
