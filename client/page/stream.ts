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
import type { AppendDurability, Outgoing } from "./outgoing.ts"

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
   * the edge refuses it for good, with `closed` when the client closes before it is known (the event stays stored and
   * is sent next time). Offline it waits.
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
}

/** What a stream needs of its client. */
export type StreamHost = {
  /** Who makes its events: the device, and whose it is. */
  readonly source: string
  readonly outgoing: Outgoing
  pending(stream: StreamPath): Promise<HeadwaterEvent[]>
}

/** One stream: append to it here; read it through a view. */
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
   * closed by it.
   *
   * @throws HeadwaterError `invalid-event` when the type or the data is not of the stream's definition or the event is
   * too large; `backlog-full`, `storage-full` or `storage-unavailable` when this device cannot take it; `closed` after
   * `client.close()`. Nothing is stored then, and queries no longer see it.
   */
  async append<Type extends keyof S & string>(
    type: Type,
    data: EventInput<S, Type>,
    { durability = "flushed", ...about }: AppendOptions = {},
  ): Promise<Receipt> {
    const id = crypto.randomUUID() as EventId // a fresh UUID names one event
    const { source } = this.#host
    const attributes = { id, type, source, time: new Date().toISOString(), ...about }
    const text = encodeEvent(this.#definition, attributes, data)
    const fate = this.#host.outgoing.append(this.path, text, durability)
    await (durability === "local" ? fate.local : fate.flushed)
    return { id, ...fate }
  }

  /** The events of this device that the edge has not confirmed yet, in the order of appending. */
  async pending(): Promise<EventOf<S>[]> {
    return (await this.#host.pending(this.path)) as EventOf<S>[] // `append` let only these in
  }
}
