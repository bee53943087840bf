import { assert } from "../../shared/assert.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { coversPath } from "../../shared/path-pattern.ts"
import type { FoldBatch } from "../../shared/view/fold.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import type { ViewTerms } from "../state/open-view-state.ts"
import type { ConfirmedBatch, ViewState } from "../state/view-state.ts"
import type { ViewStatus } from "../status.ts"
import { JoiningStreams } from "./joining-streams.ts"
import { PageQueue } from "./page-queue.ts"
import { type Progress, ViewBuild, type ViewBuildParts, type ViewStart } from "./view-build.ts"
import { fill } from "./view-fill.ts"

/** Before a log that could not be read is tried again. */
const DISK_RETRY_MS = 1_000

/** Pending events that are folded again for each page without a thought: it takes well below a millisecond. */
const REFOLD_AT_ONCE_MAX = 100

/** How many pending events may be folded again per millisecond of waiting: about a fifth of what a thread can. */
const REFOLD_PER_MS = 50

export type OpenViewParts = ViewBuildParts & {
  /** The streams that this tab has opened. */
  replicas(): Iterable<Replica>
  /** Rows, halts or progress may be others. */
  changed(): void
  /** The rows are those of the log as far as it goes, now or again. */
  settled(view: OpenView): void
}

/**
 * One open view: its rows, and the streams that it follows. What is appended here is folded in the turn of the append.
 * What the edge has ordered is folded below all that is pending, which then has to be folded again; when that is much,
 * pages gather for a moment, so that a backlog and a busy stream together do not stop the thread.
 *
 * Rows that have to be made anew are made beside those that are shown, and shown whole.
 */
export class OpenView {
  readonly #parts: OpenViewParts
  #terms: ViewTerms
  #state: ViewState
  #build: ViewBuild | undefined
  readonly #joining = new JoiningStreams()
  #isCatchingUp = false
  readonly #queue = new PageQueue()
  /** Whether the log that is shown is no more: it gets no pages. */
  #isStale = false
  #stopTimer: (() => void) | undefined
  #stopRetry: (() => void) | undefined
  #isClosed = false
  /** How it went to begin with rows of the edge. */
  edgeStart: ViewStatus["edgeStart"]
  /** Where the rows were last found to be right. */
  verified: Readonly<Record<string, Offset>> = {}

  /**
   * Shows rows that are those of the log as far as the view's streams go, in this very turn, and what is pending above
   * them.
   */
  constructor(parts: OpenViewParts, terms: ViewTerms, state: ViewState) {
    this.#parts = parts
    this.#terms = terms
    this.#state = state
    state.rebase([], this.pending())
  }

  get state(): ViewState {
    return this.#state
  }

  get terms(): ViewTerms {
    return this.#terms
  }

  /** How far the rows are that are made beside those that are shown. */
  get progress(): Progress | undefined {
    return this.#build?.progress()
  }

  /** Whether nothing is to be folded that this device has. */
  get isSettled(): boolean {
    return !this.#isStale && this.#queue.isEmpty && this.#joining.isEmpty && this.#build === undefined
  }

  follows(stream: StreamPath): boolean {
    return followsStream(this.#terms, stream)
  }

  /** What waits for the edge, stream by stream: a row is of one stream, so the order among streams means nothing. */
  pending(): FoldBatch[] {
    return this.#replicas().flatMap(({ stream, pending }) =>
      pending.map(({ messages }) => ({ stream, messages })),
    )
  }

  pendingEvents(): number {
    return this.#replicas().reduce((sum, replica) => sum + replica.pendingEvents, 0)
  }

  /** A stream was opened that the view follows. */
  joined(stream: StreamPath): void {
    if ((this.#state.heads.get(stream) ?? START) === this.#headOf(stream)) return this.#rebase()
    this.#joining.add(stream)
    this.#catchUp()
  }

  /** A stream's log goes further than the pages that were told: what is new is read. */
  wentOn(stream: StreamPath): void {
    if (this.#isStale) return
    this.#joining.add(stream)
    this.#rebase()
  }

  appended(stream: StreamPath, entries: readonly PendingEntry[]): void {
    for (const { messages } of entries) this.#state.addPending(stream, messages)
    this.#state.flush()
  }

  advanced(stream: StreamPath, page: Page, confirmed: readonly PendingEntry[]): void {
    if (this.#isStale) return // what is to be shown reads the page from the disk
    if (this.#joining.has(stream)) return this.#joining.confirmed(stream, confirmed) // and so it does here
    const reached = this.#queue.end(stream) ?? this.#state.heads.get(stream) ?? START
    assert(
      page.from === reached,
      `a page of ${stream} from ${page.from} follows what was folded up to ${reached}`,
    )
    this.#queue.add(stream, page, confirmed)
    const pending = this.pendingEvents()
    if (this.#stopTimer !== undefined) return
    if (pending <= REFOLD_AT_ONCE_MAX) this.#rebase()
    else this.#stopTimer = this.#parts.host.after(pending / REFOLD_PER_MS, () => this.#rebase())
  }

  reordered(): void {
    if (!this.#isStale) this.#rebase()
  }

  /** A stream's log is another than the one that was folded. */
  refold(): void {
    this.#isStale = true
    this.#queue.clear()
    this.#joining.clear()
    this.#forget()
    if (this.#build === undefined) void this.#rebuild(this.#terms) // else it notices by itself
  }

  /**
   * Makes the rows of other terms, from the log or from what a start has, and shows them when they are whole. False
   * when others came after them.
   *
   * @throws HeadwaterError `invalid-view`: then the rows stay as they are.
   */
  become(terms: ViewTerms, start?: ViewStart): Promise<boolean> {
    return this.#rebuild(terms, start)
  }

  close(): void {
    this.#isClosed = true
    this.#build?.end()
    this.#forget()
    this.#stopRetry?.()
    this.#state.close()
  }

  #replicas(): Replica[] {
    return coveredBy(this.#parts.replicas(), this.#terms)
  }

  #headOf(stream: StreamPath): Offset {
    return this.#replicas().find((replica) => replica.stream === stream)?.head ?? START
  }

  #forget(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  /** Folds what is queued, as much as fits a turn, and the rest in the next ones. */
  #rebase(): void {
    this.#forget()
    const taken = this.#queue.take()
    this.#state.rebase(taken, this.#unfolded())
    this.#state.flush()
    this.#parts.changed()
    if (this.#queue.isEmpty) {
      this.#catchUp()
      return this.#settled()
    }
    let isStopped = false
    this.#stopTimer = () => {
      isStopped = true
    }
    void this.#parts.host.turn().then(() => {
      if (!isStopped) this.#rebase()
    })
  }

  /** What is not folded as confirmed, whether the edge has it or not. */
  #unfolded(): FoldBatch[] {
    return [...this.#queue.confirmed(), ...this.#joining.late(), ...this.pending()]
  }

  /** Reads the streams that are joining, when no pages of them are queued, until none lacks anything. */
  #catchUp(): void {
    if (this.#isCatchingUp || this.#joining.isEmpty || !this.#queue.isEmpty) return
    this.#isCatchingUp = true
    const joining = () => [...this.#joining.all].filter((stream) => this.#queue.end(stream) === undefined)
    const state = this.#state
    const filling = {
      wanted: () => joining().map((stream) => ({ stream, upTo: this.#headOf(stream) })),
      heads: state.heads,
      fold: (batch: ConfirmedBatch) => {
        this.#joining.folded(batch)
        state.rebase([batch], this.#unfolded())
        state.flush()
        this.#parts.changed()
      },
      isOver: () => this.#isClosed || this.#isStale || state !== this.#state,
      elsewhere: () => this.refold(),
    }
    const again = () => {
      this.#isCatchingUp = false
      this.#catchUp()
    }
    fill(this.#parts, filling).then(
      (isWhole) => {
        if (!isWhole) return this.#isClosed ? undefined : again()
        for (const stream of joining()) this.#joining.done(stream)
        this.#isCatchingUp = false
        this.#rebase()
      },
      (reason: unknown) => this.#retry(reason, again),
    )
  }

  async #rebuild(terms: ViewTerms, start?: ViewStart): Promise<boolean> {
    this.#build?.end()
    const build = new ViewBuild(this.#parts, terms, () => coveredBy(this.#parts.replicas(), terms), start)
    this.#build = build
    try {
      const isShown = await build.run((state) => {
        this.#show(terms, state)
        return true
      })
      return isShown ?? false
    } catch (reason) {
      if (this.#build === build) this.#build = undefined
      const isOfOthers = terms !== this.#terms
      // Rows of a log that is no more are better than none, and they have to be made anew whatever somebody asked for.
      if (this.#isStale) this.#retry(reason, () => void this.#rebuild(this.#terms))
      if (isOfOthers || !this.#isStale) throw reason
      return false
    }
  }

  #show(terms: ViewTerms, state: ViewState): void {
    const old = this.#state
    this.#forget()
    this.#queue.clear()
    this.#joining.clear()
    this.#isStale = false
    this.#build = undefined
    this.#terms = terms
    this.#state = state
    state.rebase([], this.pending())
    state.replace(old)
    old.close()
    this.#settled()
  }

  #settled(): void {
    this.#parts.changed()
    this.#parts.settled(this)
  }

  /** Tried until the disk lets itself be read. */
  #retry(reason: unknown, again: () => void): void {
    if (!(reason instanceof HeadwaterError)) throw reason
    if (this.#isClosed) return
    this.#stopRetry?.()
    this.#stopRetry = this.#parts.host.after(DISK_RETRY_MS, again)
  }
}

/** The streams that a view of these terms reads. */
export function coveredBy(replicas: Iterable<Replica>, terms: ViewTerms): Replica[] {
  return [...replicas].filter(({ stream }) => followsStream(terms, stream))
}

/** Whether a view of these terms reads this stream. */
export function followsStream({ streams }: ViewTerms, stream: StreamPath): boolean {
  return Object.values(streams).some((reads) => coversPath(reads, stream))
}
