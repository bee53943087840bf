import { assert } from "../../shared/assert.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Halt, Skip } from "../../shared/view/fold.ts"
import type { ViewSkips } from "../disk/view-skips.ts"
import type { Host } from "../host.ts"
import type { AskedView, ViewNumber } from "../port.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import type { ReplicaListener } from "../replica/replica-listener.ts"
import type { ViewTerms } from "../state/open-view-state.ts"
import type { ViewState } from "../state/view-state.ts"
import type { ViewStatus } from "../status.ts"
import { coveredBy, OpenView } from "./open-view.ts"
import { pastState } from "./past-state.ts"
import { type Begun, beginView, type ViewBeginParts } from "./view-begin.ts"
import { dropStart, ViewBuild } from "./view-build.ts"
import { hashOf, hashOfState, type Verdict, type ViewHash, verdictOf } from "./view-hashes.ts"
import { snapshotId } from "./view-snapshots.ts"
import type { WholeLog } from "./whole-log.ts"

export type ViewsParts = ViewBeginParts & {
  readonly whole: WholeLog
  readonly host: Pick<Host, "now" | "after" | "turn" | "openSql" | "digest">
  readonly skips: ViewSkips
  /** Tells other tabs that views of these terms pass over one more event. */
  skipped(view: string): void
  /** The streams that this tab has opened. */
  replicas(): Iterable<Replica>
  /** Rows, and with them halts and progress, may be others. */
  changed(): void
}

/** The open views of one thread. */
export class Views implements ReplicaListener {
  readonly #parts: ViewsParts
  readonly #open = new Map<ViewNumber, OpenView>()
  /** Views that are being opened: their first rows are being made. */
  readonly #opening = new Map<ViewTerms, ViewBuild | undefined>()
  readonly #past = new Map<ViewNumber, ViewState>()
  #numbers = 0
  #isClosed = false

  constructor(parts: ViewsParts) {
    this.#parts = parts
  }

  /**
   * Opens a view and folds everything that this device has of its streams: for a pattern, of those that it covers.
   *
   * @throws HeadwaterError `invalid-view`; `closed`; `storage-unavailable` when the log cannot be read.
   */
  async open(asked: AskedView): Promise<ViewNumber> {
    const terms = await this.#terms(asked)
    this.#opening.set(terms, undefined)
    try {
      const { start, edgeStart } = await this.#begin(terms, asked)
      const build = new ViewBuild(this.#parts, terms, () => coveredBy(this.#parts.replicas(), terms), start)
      this.#opening.set(terms, build)
      const number = await build.run((state) => this.#add(terms, state, edgeStart))
      if (number === undefined) throw closed()
      return number
    } finally {
      this.#opening.delete(terms)
    }
  }

  /**
   * Gives a view another definition. Its rows are made beside those that are shown, and then shown whole.
   *
   * @throws HeadwaterError `invalid-view`: then everything stays as it is.
   */
  async redefine(number: ViewNumber, asked: AskedView): Promise<void> {
    const terms = await this.#terms(asked)
    const { start, edgeStart } = await this.#begin(terms, asked)
    const view = this.view(number)
    await view.become(terms, start)
    view.edgeStart = edgeStart
    this.#parts.changed()
  }

  /**
   * Passes over the event at which a source stands still, for good. Resolves when the rows are those without it.
   *
   * @throws HeadwaterError `not-halted` when the source does not stand still there.
   */
  async skip(number: ViewNumber, { source, eventId }: Skip): Promise<void> {
    const view = this.view(number)
    const isHalted = view.state.halted().some((halt) => halt.source === source && halt.eventId === eventId)
    if (!isHalted) throw notHalted(source, eventId)
    const id = unskippedId(view.terms)
    const skips = await this.#parts.skips.add(id, { source, eventId })
    this.#parts.skipped(id)
    await view.become({ ...view.terms, skips })
  }

  /** Another tab has passed over an event. */
  skipped(id: string): void {
    for (const view of this.#open.values())
      if (unskippedId(view.terms) === id) void this.#adoptSkips(view, id)
  }

  /**
   * The rows as they were when the log ended at these places, without what is pending. Streams that are not named are
   * folded as far as they go.
   *
   * @throws HeadwaterError `invalid-offset` when the log has no such place.
   */
  async past(number: ViewNumber, offsets: Readonly<Record<string, Offset>>): Promise<ViewNumber> {
    const state = await this.#pastState(this.view(number).terms, offsets, "any")
    const past = ++this.#numbers
    this.#past.set(past, state)
    return past
  }

  /** What the confirmed rows come to. */
  hash(number: ViewNumber): Promise<ViewHash> {
    const past = this.#past.get(number)
    return past === undefined
      ? hashOf(this.#parts.host, this.view(number))
      : hashOfState(this.#parts.host, past)
  }

  /**
   * Compares the rows with what somebody else has at the same places; without it, with what this device's log makes of
   * them when it is folded anew.
   *
   * @throws HeadwaterError `invalid-offset` when the log has no such places.
   */
  async verify(number: ViewNumber, other?: ViewHash): Promise<Verdict> {
    const view = this.view(number)
    const own = other === undefined ? await this.hash(number) : await this.#hashAt(view, other.cursor, "any")
    const verdict = verdictOf(own, other ?? (await this.#hashAt(view, own.cursor, "none")), view.verified)
    if (verdict.isEqual) view.verified = verdict.upTo
    return verdict
  }

  /** Makes the rows anew from the log, beside those that are shown, whatever was written down. */
  async rebuild(number: ViewNumber): Promise<void> {
    const view = this.view(number)
    await this.#parts.snapshots.drop(view.terms)
    await view.become(view.terms)
  }

  async #hashAt(view: OpenView, cursor: ViewHash["cursor"], begin: "any" | "none"): Promise<ViewHash> {
    const state = await this.#pastState(view.terms, cursor, begin)
    try {
      return await hashOfState(this.#parts.host, state)
    } finally {
      state.close()
    }
  }

  view(number: ViewNumber): OpenView {
    const found = this.#open.get(number)
    assert(found !== undefined, `view ${number} was opened by this thread`)
    return found
  }

  get(number: ViewNumber): ViewState {
    return this.#past.get(number) ?? this.view(number).state
  }

  /** Frees a view. Its number is of no use any more. */
  closeView(number: ViewNumber): void {
    const past = this.#past.get(number)
    if (past !== undefined) {
      this.#past.delete(number)
      return past.close()
    }
    const view = this.view(number)
    this.#open.delete(number)
    this.#parts.snapshots.forget(view)
    view.close()
  }

  /** Whether a view follows this stream, opened or not. */
  follow(stream: StreamPath): boolean {
    return this.#over(stream).length > 0
  }

  /** What stands still, over all views. */
  halts(): Halt[] {
    return [...this.#open.values()].flatMap(({ state }) => state.halted())
  }

  statuses(): ViewStatus[] {
    const opening = [...this.#opening].map(([{ name }, build]) => {
      return { name, building: build?.progress() ?? NOTHING_DONE, edgeStart: undefined }
    })
    const open = [...this.#open.values()].map(({ terms: { name }, progress, edgeStart }) => {
      return { name, building: progress, edgeStart }
    })
    return [...opening, ...open]
  }

  /** A stream was opened by this tab. */
  loaded(stream: StreamPath): void {
    for (const view of this.#over(stream)) view.joined(stream)
  }

  appended(stream: StreamPath, entries: readonly PendingEntry[]): void {
    for (const view of this.#over(stream)) view.appended(stream, entries)
  }

  advanced(stream: StreamPath, page: Page, confirmed: readonly PendingEntry[]): void {
    for (const view of this.#over(stream)) view.advanced(stream, page, confirmed)
  }

  reordered(stream: StreamPath): void {
    for (const view of this.#over(stream)) view.reordered()
  }

  /** The stream's log is another than the one that was folded: folds it anew, beside the rows that are shown. */
  refold(stream: StreamPath): void {
    for (const view of this.#over(stream)) view.refold()
  }

  /** The stream's log goes further than the pages that were told. */
  wentOn(stream: StreamPath): void {
    for (const view of this.#over(stream)) view.wentOn(stream)
  }

  close(): void {
    this.#isClosed = true
    this.#parts.edgeStart.end()
    for (const build of this.#opening.values()) build?.end()
    for (const view of this.#open.values()) view.close()
    for (const state of this.#past.values()) state.close()
    this.#open.clear()
    this.#parts.snapshots.close()
  }

  /** From this turn on the view hears what becomes of its streams. */
  #add(terms: ViewTerms, state: ViewState, edgeStart: ViewStatus["edgeStart"]): ViewNumber {
    const settled = (view: OpenView) => this.#parts.snapshots.settled(view)
    const view = new OpenView({ ...this.#parts, settled }, terms, state)
    const number = ++this.#numbers
    view.edgeStart = edgeStart
    this.#open.set(number, view)
    this.#parts.changed()
    settled(view)
    return number
  }

  async #begin(terms: ViewTerms, asked: AskedView): Promise<Begun> {
    const begun = await beginView(this.#parts, terms, asked)
    if (!this.#isClosed) return begun
    dropStart(begun.start)
    throw closed()
  }

  async #terms(asked: AskedView): Promise<ViewTerms> {
    return { ...asked, skips: await this.#parts.skips.list(unskippedId({ ...asked, skips: [] })) }
  }

  /** @param begin Which snapshots it may begin with. */
  #pastState(
    terms: ViewTerms,
    offsets: Readonly<Record<string, Offset>>,
    begin: "any" | "none",
  ): Promise<ViewState> {
    const replicas = coveredBy(this.#parts.replicas(), terms)
    return pastState(this.#parts, terms, { replicas, offsets, begin })
  }

  async #adoptSkips(view: OpenView, id: string): Promise<void> {
    try {
      await view.become({ ...view.terms, skips: await this.#parts.skips.list(id) })
    } catch (reason) {
      if (!(reason instanceof HeadwaterError)) throw reason // else the next visit finds them
    }
  }

  #over(stream: StreamPath): OpenView[] {
    return [...this.#open.values()].filter((view) => view.follows(stream))
  }
}

/** Equal for views of which the app skips the same events. */
function unskippedId(terms: ViewTerms): string {
  return snapshotId({ ...terms, skips: [] })
}

const NOTHING_DONE = { done: 0, total: 0 } as const

function closed(): HeadwaterError {
  return new HeadwaterError("closed", "The client is closed.")
}

function notHalted(source: string, eventId: string): HeadwaterError {
  return new HeadwaterError("not-halted", `Source "${source}" does not stand still at event ${eventId}.`)
}
