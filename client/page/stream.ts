import type { ErrorData } from "../../shared/errors.ts"
import type {
  EventData,
  EventInput,
  EventSchemas,
  HeadwaterEvent,
  StreamDefinition,
} from "../../shared/events.ts"
import { encodeEvent } from "../../shared/events.ts"
import type { EventId, StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import { notRejected, type RejectedEvent } from "../disk/rejections.ts"
import type { Reappended } from "../sync/recovery.ts"
import { newEventId, timeNow } from "./event-names.ts"
import type { AppendDurability, Fate, Outgoing } from "./outgoing.ts"
import { type LogEvent, type ReadOptions, readLog } from "./reading.ts"
import {
  type ExportOptions,
  exportLines,
  type ImportHost,
  type ImportResult,
  type ImportSource,
  importLines,
} from "./transfer.ts"

/** What `append` gives: the event's name, and what becomes of it. None of the promises need be awaited. */
export type Receipt = {
  /** The event's name, on every device, for ever. */
  readonly id: EventId
  /** Resolves when the event is written: it outlives this tab and this browser. */
  readonly local: Promise<void>
  /**
   * Resolves when the event is flushed: it outlives a power cut. Rejects with `storage-full` or `storage-unavailable`
   * when nobody can say so.
   */
  readonly flushed: Promise<void>
  /**
   * Resolves once the edge has the event: reading from this offset continues behind it. Rejects with `rejected` when
   * the edge refuses it for good (then it is among `stream.rejected()`) or takes nothing of the stream, with `conflict`
   * when the stream did not end at `expected`, with `closed` when the client closes before it is known (the event stays
   * stored and is sent next time). Offline it waits.
   */
  readonly confirmed: Promise<Offset>
}

/** An event as `pending` gives it, with the data that its type says. */
export type EventOf<S extends EventSchemas> = {
  [Type in keyof S & string]: Omit<HeadwaterEvent, "type" | "data"> & {
    readonly type: Type
    readonly data: EventData<S, Type>
  }
}[keyof S & string]

export type AppendOptions = {
  /** What the event is about, for readers who route by it. A CloudEvents attribute. */
  readonly subject?: string
  /**
   * What `append` waits for. `flushed`, unless told otherwise: the event survives a power cut. `local` is faster, and
   * a power cut within the next moment (`flushMsMax`) may take the event as if it had never been.
   */
  readonly durability?: AppendDurability
  /**
   * Append only if the stream ends there when the edge takes the event: the offset of a receipt, or of the status's
   * head; `"-1"` if it is to be empty. Should it end elsewhere, the event is refused with `conflict`, whose `tail` says
   * where. It is shown until then as any other, and travels alone.
   */
  readonly expected?: Offset
}

/** What may be another when a refused event is appended anew. */
export type Reappend<S extends EventSchemas> = {
  [Type in keyof S & string]: { readonly type?: Type; readonly data?: EventInput<S, Type> }
}[keyof S & string]

/** An event that the edge has refused, or refused with others of the same task: why, and when. */
export type RejectedEventOf<S extends EventSchemas> = EventOf<S> & {
  readonly error: ErrorData
  readonly at: number
}

/** What a stream needs of its client. */
export type StreamHost = ImportHost & {
  /** Who makes its events: the device, and whose it is. */
  readonly source: string
  readonly outgoing: Outgoing
  pending(stream: StreamPath): Promise<HeadwaterEvent[]>
  rejected(stream: StreamPath): Promise<RejectedEvent[]>
  dismiss(stream: StreamPath, ids: readonly EventId[]): Promise<void>
  recover(stream: StreamPath, reappended: Reappended): Promise<void>
}

/** One stream: append to it here; read it through a view, or message by message. */
export class Stream<S extends EventSchemas> {
  readonly path: StreamPath
  readonly #definition: StreamDefinition<S>
  readonly #host: StreamHost

  /** Made by `client.stream`. */
  constructor(definition: StreamDefinition<S>, path: StreamPath, host: StreamHost) {
    this.#definition = definition
    this.path = path
    this.#host = host
  }

  /**
   * Appends an event. Queries of this device see it at once; the promise resolves when it is flushed to the disk (or
   * written, see `durability`), from where it reaches the edge as soon as there is one, once, in the order of the
   * calls. Events appended in one task leave the page together when that task ends: they are kept even if the tab is
   * closed by it. Where the browser gives no storage it resolves when the event is in this tab's memory; the receipt's
   * `local` and `flushed` reject then.
   *
   * @throws HeadwaterError `invalid-event` when the type or the data is not of the stream's definition or the event is
   * too large; `backlog-full`, `storage-full` or `storage-unavailable` when this device cannot take it; `closed` after
   * `client.close()`. Nothing is stored then, and queries no longer see it.
   */
  append<Type extends keyof S & string>(
    type: Type,
    data: EventInput<S, Type>,
    options: AppendOptions = {},
  ): Promise<Receipt> {
    try {
      const { durability = "flushed", expected, subject } = options
      const { id, text } = this.#encode(type, data, subject)
      const { outgoing } = this.#host
      const fate = outgoing.append(this.path, text, { durability, expected })
      // Thousands may be under way: an async function would keep some 500 bytes for each.
      return (outgoing.lasts ? fate[durability] : fate.taken).then(() => receipt(id, fate))
    } catch (reason) {
      return Promise.reject(reason)
    }
  }

  /** The events of this device that the edge has not confirmed yet, in the order of appending. */
  async pending(): Promise<EventOf<S>[]> {
    return (await this.#host.pending(this.path)) as EventOf<S>[] // `append` let only these in
  }

  /**
   * The confirmed messages of the log, as the edge has ordered them, each once: from the start, from any offset that
   * this log has given (of a receipt, of a message read before), or from where a cursor has got to. It reads this
   * device's log, so it works offline, and ends where that ends, also when `from` is further on. With `live` it waits
   * there and goes on with what arrives, in every tab, until the loop is left. A slow consumer makes nothing grow: some
   * megabytes are read ahead, no more.
   *
   * A cursor makes a consumer durable: its place is kept each time the next message is asked for, which says that the
   * one before is done with. So each message is seen at least once. After a crash those are seen again whose place was
   * not written yet: the one at work, and as many before it as were done with in the few milliseconds that a write
   * takes. The same holds for the message at which a loop is left by `break`. One consumer at a time has a cursor, in
   * all tabs; others of its name wait until it ends.
   *
   * @throws HeadwaterError `invalid-offset` when the log has no such place; `invalid-options`; `storage-unavailable`
   * or `storage-full` when the disk cannot be read, or does not keep the cursor; `closed` when the client is closed.
   */
  read(options: ReadOptions = {}): AsyncIterableIterator<LogEvent> {
    return readLog(this.#host.link, this.path, options)
  }

  /**
   * Messages as lines of JSON (NDJSON), each with its line feed: what the edge has confirmed, as far as this device has
   * read it, what waits for the edge, or what it has refused. Byte for byte as stored, but for line breaks between
   * tokens. What happens meanwhile may be in it or not.
   *
   * @throws HeadwaterError `storage-unavailable`; `closed`.
   */
  export(options: ExportOptions): AsyncIterableIterator<string> {
    return exportLines(this.#host.link, this.path, options)
  }

  /**
   * Appends the events of an export, in order, as they are: id, time, source and bytes are kept. Events that this
   * device has, by id, in its log, waiting or rejected, are passed over: an import may be repeated, also after it was
   * interrupted. Two devices that import the same at once may both append it.
   *
   * A line is an event if it is an object with a text `id` and a text `type` within the bounds of events. Its data is
   * not held against the stream's definition: a log has what schemas gave, of any version. Empty lines are passed over.
   *
   * When more wait for the edge than may, it goes on as the edge takes them. Resolves when all is flushed to the disk
   * and shows in queries.
   *
   * @throws HeadwaterError `invalid-import` at the first line that is no event; `backlog-full` when too many events
   * wait and the edge is not reached; `storage-full` or `storage-unavailable`; `closed`. The lines before were taken,
   * nothing of that one and of those behind it; the message says how many.
   */
  import(source: ImportSource): Promise<ImportResult> {
    return importLines(this.#host, this.path, source)
  }

  /**
   * The events of this device that the edge has refused for good and that were not dismissed, in the order of
   * appending. They are in no view any more. What was appended in one task is refused together.
   */
  async rejected(): Promise<RejectedEventOf<S>[]> {
    return (await this.#host.rejected(this.path)) as RejectedEventOf<S>[] // `append` let only these in
  }

  /** Forgets refused events, for good. Those that are not among them are passed over. */
  dismiss(ids: readonly EventId[]): Promise<void> {
    return this.#host.dismiss(this.path, ids)
  }

  /**
   * Appends a refused event anew, as it was or with another type or data: a new event, which stands behind everything
   * that was appended since. The refused one is forgotten in the same transaction.
   *
   * @throws HeadwaterError `not-rejected` when there is no such event any more; and as `append`.
   */
  async reappend(id: EventId, change: Reappend<S> = {}): Promise<Receipt> {
    const refused = (await this.#host.rejected(this.path)).find((event) => event.id === id)
    if (refused === undefined) throw notRejected(this.path, id)
    const { type = refused.type, data = refused.data } = change
    const made = this.#encode(type, data, refused.subject)
    const { outgoing } = this.#host
    const fate = outgoing.replace(this.path, made.text, id)
    await (outgoing.lasts ? fate.flushed : fate.taken)
    return receipt(made.id, fate)
  }

  /**
   * Goes on after the edge was put back to an older copy (`rolled-back`), or its log has become another (`diverged`):
   * until this is called everything that this device has read stays as it is and can be read.
   *
   * The log goes back to the last place that it has in common with the edge's, and is read on from there; views are
   * folded anew. Of the events behind that place that the edge does not have, `reappend` says which are appended once
   * more, before those that wait: `own`, those of this device; `all`, everybody's, which one device should do and no
   * more than one; `none`. The others are forgotten. Nothing is done when nothing has to be.
   *
   * @throws HeadwaterError as connections fail: `unreachable`, `unauthorized`; `diverged` when the edge keeps no place
   * that this device has passed.
   */
  recover({ reappend }: { readonly reappend: Reappended }): Promise<void> {
    return this.#host.recover(this.path, reappend)
  }

  #encode(type: string, data: unknown, subject: string | undefined): { id: EventId; text: string } {
    const id = newEventId()
    const attributes = { id, type, source: this.#host.source, time: timeNow(), subject }
    return { id, text: encodeEvent(this.#definition, attributes, data) }
  }
}

function receipt(id: EventId, { local, flushed, confirmed }: Fate): Receipt {
  return { id, local, flushed, confirmed }
}
