import { assert } from "../../shared/assert.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import { type HeadwaterEvent, isEvent } from "../../shared/events.ts"
import type { EventId, ProducerId, StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { Skip } from "../../shared/view/fold.ts"
import type { QueryOptions, QueryParameters } from "../../shared/view/query.ts"
import type { RejectedEvent } from "../disk/rejections.ts"
import type { Host } from "../host.ts"
import {
  type AskedView,
  type EnginePort,
  type EntryKind,
  type EntryTexts,
  type FollowedQuery,
  type ImportStep,
  type LiveAnswer,
  type LiveNews,
  NEXT,
  type NewEntry,
  type OpenOptions,
  type ReaderNumber,
  type ReadRequest,
  type Reply,
  STOP,
  type ViewNumber,
} from "../port.ts"
import type { Row, RowChanges } from "../row-changes.ts"
import type { Reappended } from "../sync/recovery.ts"
import { PageLink } from "./page-link.ts"
import { Session } from "./session.ts"
import type { Verdict, ViewHash } from "./view-hashes.ts"

/** The thread's end of the boundary: each call is handed to its part, and every failure goes back to its caller. */
export class Engine implements EnginePort {
  readonly #host: Host
  #session: Session | undefined
  #page: PageLink | undefined

  constructor(host: Host) {
    this.#host = host
  }

  open(options: OpenOptions, notices: MessagePort): Promise<Reply<ProducerId>> {
    return reply(async () => {
      assert(this.#session === undefined, "a thread is opened once")
      const page = new PageLink((notice) => notices.postMessage(notice))
      notices.onmessage = () => page.next()
      this.#page = page
      this.#session = await Session.open(this.#host, options, page)
      return this.#session.device
    })
  }

  openStream(stream: StreamPath): Promise<Reply<void>> {
    return reply(async () => void (await this.#opened().replica(stream)))
  }

  show(stream: StreamPath, entries: readonly NewEntry[]): Promise<Reply<void>> {
    return reply(() => this.#opened().entries.show(stream, entries))
  }

  append(stream: StreamPath, entries: readonly NewEntry[]): Promise<Reply<OutboxKey[]>> {
    return reply(() => this.#opened().log.append(stream, entries, "relaxed"))
  }

  replace(stream: StreamPath, entry: NewEntry, replaced: EventId): Promise<Reply<OutboxKey>> {
    return reply(() => this.#opened().log.replace(stream, entry, replaced))
  }

  stored(stream: StreamPath, tickets: readonly number[], keys: readonly OutboxKey[]): Promise<Reply<void>> {
    return reply(() => this.#opened().entries.stored(stream, tickets, keys))
  }

  secure(stream: StreamPath, tickets: readonly number[]): Promise<Reply<OutboxKey[]>> {
    return reply(() => this.#opened().entries.secure(stream, tickets))
  }

  refused(stream: StreamPath, tickets: readonly number[]): Promise<Reply<void>> {
    return reply(() => this.#opened().entries.refused(stream, tickets))
  }

  pending(stream: StreamPath): Promise<Reply<HeadwaterEvent[]>> {
    return reply(async () => {
      const { pending } = await this.#opened().replica(stream)
      return pending.flatMap((entry) => entry.messages).filter(isEvent)
    })
  }

  rejected(stream: StreamPath): Promise<Reply<RejectedEvent[]>> {
    return reply(() => this.#opened().conflicts.rejected(stream))
  }

  dismiss(stream: StreamPath, ids: readonly EventId[]): Promise<Reply<void>> {
    return reply(() => this.#opened().conflicts.dismiss(stream, ids))
  }

  recover(stream: StreamPath, reappended: Reappended): Promise<Reply<void>> {
    return reply(() => this.#opened().conflicts.recover(stream, reappended))
  }

  openView(view: AskedView): Promise<Reply<ViewNumber>> {
    return reply(() => this.#opened().views.open(view))
  }

  redefineView(number: ViewNumber, view: AskedView): Promise<Reply<void>> {
    return reply(() => this.#opened().views.redefine(number, view))
  }

  skip(view: ViewNumber, skip: Skip): Promise<Reply<void>> {
    return reply(() => this.#opened().views.skip(view, skip))
  }

  pastView(view: ViewNumber, offsets: Readonly<Record<string, Offset>>): Promise<Reply<ViewNumber>> {
    return reply(() => this.#opened().views.past(view, offsets))
  }

  hashView(view: ViewNumber): Promise<Reply<ViewHash>> {
    return reply(() => this.#opened().views.hash(view))
  }

  verifyView(view: ViewNumber, other?: ViewHash): Promise<Reply<Verdict>> {
    return reply(() => this.#opened().views.verify(view, other))
  }

  rebuildView(view: ViewNumber): Promise<Reply<void>> {
    return reply(() => this.#opened().views.rebuild(view))
  }

  closeView(view: ViewNumber): Promise<Reply<void>> {
    return reply(() => this.#opened().views.closeView(view))
  }

  query(
    view: ViewNumber,
    sql: string,
    params: QueryParameters,
    options: QueryOptions,
  ): Promise<Reply<readonly Row[]>> {
    return reply(() => this.#opened().views.get(view).query(sql, params, options))
  }

  live(view: ViewNumber, { sql, params, key }: FollowedQuery, answers: MessagePort): Promise<Reply<void>> {
    return reply(() => {
      const tell = (value: LiveNews) => answers.postMessage({ ok: true, value } satisfies LiveAnswer)
      const onError = (error: HeadwaterError) => answers.postMessage(failure(error) satisfies LiveAnswer)
      const listener =
        key === undefined
          ? { onRows: (rows: readonly Row[]) => tell({ rows }), onError }
          : { key, onChanges: (changes: RowChanges) => tell({ changes }), onError }
      const followed = this.#opened().views.get(view).live(sql, params, listener)
      answers.onmessage = ({ data }) => {
        if (data === NEXT) followed.next()
        if (data !== STOP) return
        followed.stop()
        answers.close()
      }
    })
  }

  openReader(stream: StreamPath, request: ReadRequest): Promise<Reply<ReaderNumber>> {
    return reply(async () => {
      const session = this.#opened()
      await session.replica(stream) // a stream that this tab has not opened is not followed
      return session.moving.readers.open(stream, request)
    })
  }

  readOn(reader: ReaderNumber): Promise<Reply<PageText | undefined>> {
    return reply(() => this.#opened().moving.readers.next(reader))
  }

  moveCursor(reader: ReaderNumber, offset: Offset): Promise<Reply<void>> {
    return reply(() => this.#opened().moving.readers.moveCursor(reader, offset))
  }

  closeReader(reader: ReaderNumber): Promise<Reply<void>> {
    return reply(() => this.#opened().moving.readers.close(reader))
  }

  entriesBehind(stream: StreamPath, kind: EntryKind, after: OutboxKey): Promise<Reply<EntryTexts>> {
    return reply(() => this.#opened().moving.beside.entriesBehind(stream, kind, after))
  }

  importLines(stream: StreamPath, lines: readonly string[]): Promise<Reply<ImportStep>> {
    return reply(() => this.#opened().moving.importer.take(stream, lines))
  }

  giveToken(ask: number, token: Reply<string>): Promise<Reply<void>> {
    return reply(() => this.#page?.answered(ask, token))
  }

  setPaused(paused: boolean): Promise<Reply<void>> {
    return reply(() => this.#opened().setPaused(paused))
  }

  close(): Promise<Reply<void>> {
    return reply(() => this.#session?.close())
  }

  #opened(): Session {
    assert(this.#session !== undefined, "a thread is opened before it is used")
    return this.#session
  }
}

/** Runs at once, so that what `act` does before its first await is done when the message has been handled. */
async function reply<T>(act: () => Promise<T> | T): Promise<Reply<T>> {
  try {
    return { ok: true, value: await act() }
  } catch (error) {
    if (error instanceof HeadwaterError) return failure(error)
    throw error // a bug: comlink carries it to the caller as it is
  }
}

function failure(error: HeadwaterError): { ok: false; error: ReturnType<HeadwaterError["toData"]> } {
  return { ok: false, error: error.toData() }
}
