import type { ErrorData } from "../shared/errors.ts"
import type { HeadwaterEvent } from "../shared/events.ts"
import type { EventId, ProducerId, StreamPath } from "../shared/ids.ts"
import type { PageText } from "../shared/log-order.ts"
import type { Offset } from "../shared/offset.ts"
import type { OutboxKey } from "../shared/outbox.ts"
import type { ViewData } from "../shared/view/definition.ts"
import type { Skip } from "../shared/view/fold.ts"
import type { QueryOptions, QueryParameters } from "../shared/view/query.ts"
import type { RejectedEvent } from "./disk/rejections.ts"
import type { Row, RowChanges } from "./row-changes.ts"
import type { ThreadStatus } from "./status.ts"
import type { Reappended } from "./sync/recovery.ts"
import type { Verdict, ViewHash } from "./thread/view-hashes.ts"

/*
 * All that passes between the page and the thread. Every value here survives structured clone; errors travel as
 * `{ code, message }`, because a clone of an Error loses its own fields.
 */

/** What the page calls. One coarse call for each thing an app asks. */
export interface EnginePort {
  /**
   * Opens the device's database. Once, before anything else. `notices` carries `Notice` for the client's life; the page
   * answers each status with `NEXT`.
   */
  open(options: OpenOptions, notices: MessagePort): Promise<Reply<ProducerId>>
  /** Resolves when what this device has of the stream is known. */
  openStream(stream: StreamPath): Promise<Reply<void>>
  /** Stores entries of a page that has no way to the disk, since there is none. They are shown as any others. */
  append(stream: StreamPath, entries: readonly NewEntry[]): Promise<Reply<OutboxKey[]>>
  /** Does the same in place of a refused event. */
  replace(stream: StreamPath, entry: NewEntry, replaced: EventId): Promise<Reply<OutboxKey>>
  /** Shows entries that the page has just handed to the disk: queries see them from now on. */
  show(stream: StreamPath, entries: readonly NewEntry[]): Promise<Reply<void>>
  /** The disk has taken entries that were shown, under these keys: they may go to the edge. */
  stored(stream: StreamPath, tickets: readonly number[], keys: readonly OutboxKey[]): Promise<Reply<void>>
  /** Nobody knows whether the disk has entries that were shown. Sees to it that it has, and answers their keys. */
  secure(stream: StreamPath, tickets: readonly number[]): Promise<Reply<OutboxKey[]>>
  /** The disk has refused entries that were shown: no query sees them when it resolves. */
  refused(stream: StreamPath, tickets: readonly number[]): Promise<Reply<void>>
  /** The events that the edge has not confirmed, in the order of appending. */
  pending(stream: StreamPath): Promise<Reply<HeadwaterEvent[]>>
  /** The events that the edge has refused, in the order of appending. */
  rejected(stream: StreamPath): Promise<Reply<RejectedEvent[]>>
  /** Forgets refused events; those that are not there are passed over. */
  dismiss(stream: StreamPath, ids: readonly EventId[]): Promise<Reply<void>>
  /** Goes on from the last place that the edge's log and this device's have in common. */
  recover(stream: StreamPath, reappended: Reappended): Promise<Reply<void>>
  /** Resolves when the view's rows are those of everything that this device has. */
  openView(view: AskedView): Promise<Reply<ViewNumber>>
  /** Gives a view another definition. Resolves when its rows show. */
  redefineView(number: ViewNumber, view: AskedView): Promise<Reply<void>>
  /** Passes over the event at which a source stands still. Resolves when the rows are those without it. */
  skip(view: ViewNumber, skip: Skip): Promise<Reply<void>>
  /** Opens the rows as they were when the streams ended at these places. They stay as they are. */
  pastView(view: ViewNumber, offsets: Readonly<Record<string, Offset>>): Promise<Reply<ViewNumber>>
  /** What the confirmed rows come to. */
  hashView(view: ViewNumber): Promise<Reply<ViewHash>>
  /** Whether they are what somebody else has, or else what the log makes of them. */
  verifyView(view: ViewNumber, other?: ViewHash): Promise<Reply<Verdict>>
  /** Makes the rows anew from the log. */
  rebuildView(view: ViewNumber): Promise<Reply<void>>
  /** Frees a view. */
  closeView(view: ViewNumber): Promise<Reply<void>>
  query(
    view: ViewNumber,
    sql: string,
    params: QueryParameters,
    options: QueryOptions,
  ): Promise<Reply<readonly Row[]>>
  /**
   * Answers arrive on `answers` as `LiveAnswer`, at once and after changes, until the page sends `STOP`. The page
   * answers each with `NEXT`.
   */
  live(view: ViewNumber, query: FollowedQuery, answers: MessagePort): Promise<Reply<void>>
  /** Begins to read a stream's log. The page ends it with `closeReader`. */
  openReader(stream: StreamPath, request: ReadRequest): Promise<Reply<ReaderNumber>>
  /** The next messages of the log; undefined at its end. A live reader has none: it is answered when more comes. */
  readOn(reader: ReaderNumber): Promise<Reply<PageText | undefined>>
  /** Keeps the place of the reader's cursor. */
  moveCursor(reader: ReaderNumber, offset: Offset): Promise<Reply<void>>
  /** What `readOn` still waits for is answered with the end. */
  closeReader(reader: ReaderNumber): Promise<Reply<void>>
  /** Some entries of a stream that are not in its log, behind one that is known. */
  entriesBehind(stream: StreamPath, kind: EntryKind, after: OutboxKey): Promise<Reply<EntryTexts>>
  /** Appends those events of some lines that this device does not have. */
  importLines(stream: StreamPath, lines: readonly string[]): Promise<Reply<ImportStep>>
  /** The app's answer to the notice `token-wanted` of this number. */
  giveToken(ask: number, token: Reply<string>): Promise<Reply<void>>
  /** Whether the app wants the network, in all tabs. */
  setPaused(paused: boolean): Promise<Reply<void>>
  /** Lets go of the network, the lock and the database. */
  close(): Promise<Reply<void>>
}

export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: ErrorData }

export type OpenOptions = {
  /** The edge's origin and base path, without a slash at the end. */
  readonly edge: string
  /** Whose data this is. Part of the names of database, lock and channel. */
  readonly account: string
  /** Whether the app gives tokens, when it is asked. */
  readonly hasToken: boolean
  /** `memory`: the browser gives no storage. Then this tab is a device of its own, for as long as it lives. */
  readonly storage: "disk" | "memory"
}

/** An account's data at one edge, and nobody else's. Part of the names of the lock and the channel as well. */
export function databaseName({ edge, account }: Pick<OpenOptions, "edge" | "account">): string {
  return `headwater:${edge}:${account}`
}

/** Some events appended in one turn. `ticket` names them in the notice that tells their fate. */
export type NewEntry = {
  readonly ticket: number
  readonly text: string
  readonly count: number
  readonly bytes: number
  /** It is appended only if the stream ends there. */
  readonly expected?: Offset | undefined
}

/** A view, and the path or pattern that each of its sources reads. */
export type AskedView = {
  readonly name: string
  readonly view: ViewData
  readonly streams: { readonly [source: string]: string }
  /** The name of the view at the edge whose rows it may begin with. */
  readonly edgeView?: StreamPath | undefined
}

/** One view opened by one page. */
export type ViewNumber = number

/** One reading of a log by one page. */
export type ReaderNumber = number

export type ReadRequest = {
  /** Where to begin, unless the cursor has a place. */
  readonly from: Offset
  /** Whether to go on with what arrives. */
  readonly live: boolean
  /** The name of a place that is kept. */
  readonly cursor: string | undefined
}

/** Where an entry is that is not in the log: on its way there, or refused by the edge. */
export type EntryKind = "pending" | "rejected"

/** Texts of entries, as batches, in order. There may be more behind `upTo`; undefined: there is none. */
export type EntryTexts = { readonly texts: readonly string[]; readonly upTo: OutboxKey | undefined }

/** How far an import has come with some lines. */
export type ImportStep = {
  /** Lines that are dealt with. */
  readonly done: number
  /** Events of these lines that were stored, and that this device had. */
  readonly appended: number
  readonly skipped: number
  /** Why the next line is not dealt with; undefined when there is none. */
  readonly error: ErrorData | undefined
}

export type FollowedQuery = {
  readonly sql: string
  readonly params: QueryParameters
  /** The columns that tell rows apart, for who wants differences; undefined: all rows are told each time. */
  readonly key?: readonly string[]
}

export type LiveAnswer = Reply<LiveNews>

/** All rows, or with a key how they differ from those that were told last. */
export type LiveNews = { readonly rows: readonly Row[] } | { readonly changes: RowChanges }

/**
 * The page is done with what it was told: the thread may tell the next. However slow a page is, no more than one
 * message of a kind waits for it, and the next one is the newest.
 */
export const NEXT = "next"

/** Ends a live query, sent on its port: not every browser tells a port that its other end has closed. */
export const STOP = "stop"

/** What the thread tells the page unasked. */
export type Notice =
  | StatusNotice
  /** The edge has the entry: it stands before `offset`. */
  | { readonly kind: "confirmed"; readonly ticket: number; readonly offset: Offset }
  /** The edge has refused the entry, which is on the list of refused ones then, or takes nothing of the stream. */
  | { readonly kind: "rejected"; readonly ticket: number; readonly error: ErrorData }
  /** A request needs a token. The page answers with `giveToken`. */
  | { readonly kind: "token-wanted"; readonly ask: number }

/** `shows`: how often the page had called `show` when the status was taken; it counts what came with these calls. */
export type StatusNotice = {
  readonly kind: "status"
  readonly status: ThreadStatus
  readonly shows: number
}

/** What became of an entry. */
export type EntryNotice = Extract<Notice, { readonly ticket: number }>
