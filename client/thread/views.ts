import { assert } from "../../shared/assert.ts"
import { parseBatch } from "../../shared/batch.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { ViewNumber } from "../port.ts"
import { openViewState, type ViewState } from "../state/view-state.ts"
import type { Host } from "./host.ts"
import type { DeviceLog } from "./log.ts"
import type { PendingEntry, Replica, ReplicaListener } from "./replica.ts"

/** Pages that are read from the disk at a time while a view is filled: some megabytes. */
const PAGES_READ_MAX = 64

/** About as long as one transaction takes. */
const DISK_MS = 2

/** Messages of one stream, as a view folds them. */
type Messages = { readonly stream: StreamPath; readonly messages: readonly unknown[] }

/** The open views of one thread: each follows its streams from the first event, and is in step after each turn. */
export class Views implements ReplicaListener {
  readonly #host: Host
  readonly #log: DeviceLog
  readonly #states = new Map<
    ViewNumber,
    { readonly state: ViewState; readonly replicas: readonly Replica[] }
  >()
  #numbers = 0

  constructor(host: Host, log: DeviceLog) {
    this.#host = host
    this.#log = log
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
    try {
      await this.#fill(state, replicas)
    } catch (reason) {
      state.close()
      throw reason
    }
    const number = ++this.#numbers
    this.#states.set(number, { state, replicas })
    state.rebase([], pendingOf(replicas)) // with no await since the last look at the replicas
    return number
  }

  get(view: ViewNumber): ViewState {
    const found = this.#states.get(view)
    assert(found !== undefined, `view ${view} was opened by this thread`)
    return found.state
  }

  appended(stream: StreamPath, entries: readonly PendingEntry[]): void {
    for (const { state } of this.#over(stream)) {
      for (const { messages } of entries) state.addPending(stream, messages)
      state.flush()
    }
  }

  advanced(stream: StreamPath, page: Page): void {
    if (page.messages.length === 0) return
    for (const { state, replicas } of this.#over(stream)) {
      state.rebase([{ stream, messages: page.messages }], pendingOf(replicas))
      state.flush()
    }
  }

  reordered(stream: StreamPath): void {
    for (const { state, replicas } of this.#over(stream)) {
      state.rebase([], pendingOf(replicas))
      state.flush()
    }
  }

  close(): void {
    for (const { state } of this.#states.values()) state.close()
    this.#states.clear()
  }

  #over(stream: StreamPath) {
    return [...this.#states.values()].filter(({ replicas }) =>
      replicas.some((replica) => replica.stream === stream),
    )
  }

  /** Folds the stored pages until no stream has more. A replica that is ahead of its disk is waited for. */
  async #fill(state: ViewState, replicas: readonly Replica[]): Promise<void> {
    const heads = new Map<Replica, Offset>(replicas.map((replica) => [replica, START]))
    for (;;) {
      const behind = replicas.find((replica) => heads.get(replica) !== replica.head)
      if (behind === undefined) return
      const span = { after: heads.get(behind) ?? START, upTo: behind.head }
      const pages = await this.#log.pages(behind.stream, span, PAGES_READ_MAX)
      const confirmed: Messages[] = pages.map(({ text }) => ({
        stream: behind.stream,
        messages: parseBatch(text),
      }))
      state.rebase(confirmed, [])
      const last = pages.at(-1)
      if (last !== undefined) heads.set(behind, last.next)
      else await new Promise<void>((resolve) => this.#host.after(DISK_MS, resolve)) // its page is being written
    }
  }
}

/** What is pending, stream by stream: each table is fed by one stream, so their order among each other means nothing. */
function pendingOf(replicas: readonly Replica[]): Messages[] {
  return replicas.flatMap(({ stream, pending }) => pending.map(({ messages }) => ({ stream, messages })))
}
