import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import { utf8Length } from "../../shared/events.ts"
import type { EventId, StreamPath } from "../../shared/ids.ts"
import type { Offset } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { type Durability, OutcomeUnknown } from "../disk/storage.ts"
import type { EntryNotice, NewEntry, StatusNotice } from "../port.ts"
import { Backlog } from "./backlog.ts"
import { Flusher, type FlusherHost } from "./flusher.ts"
import { type Settler, settler } from "./settler.ts"

/** The fate of the events of one entry, shared by their receipts. */
export type Fate = {
  /** Resolves when this device has them, which says nothing of how long. */
  readonly taken: Promise<void>
  /** Resolves when they are on this device's disk: they outlive the browser, and a power cut when they are flushed. */
  readonly local: Promise<void>
  readonly flushed: Promise<void>
  /** Resolves with an offset that lies behind them once the edge has them. */
  readonly confirmed: Promise<Offset>
}

/** What an append has to wait for. */
export type AppendDurability = "flushed" | "local"

/** How an event is to be appended. */
export type AppendTerms = {
  readonly durability: AppendDurability
  /** It is appended only if the stream ends there. */
  readonly expected?: Offset | undefined
}

type OpenEntry = {
  readonly texts: string[]
  bytes: number
  /** Whether somebody waits for it to be flushed. */
  isUrgent: boolean
  readonly taken: Settler<void>
  readonly local: Settler<void>
  readonly flushed: Settler<void>
  readonly fate: Fate
  readonly ticket: number
  readonly expected: Offset | undefined
}

/** Where a page's appends go. */
export interface Destinations extends FlusherHost {
  /** Whether what is written outlives this page. */
  readonly lasts: boolean
  /** Writes entries to this device's disk. The write has left the page when it returns; nothing can stop it then. */
  write(
    stream: StreamPath,
    entries: readonly NewEntry[],
    durability: Durability,
    /** The refused event that is forgotten in the same transaction. */
    replaced?: EventId,
  ): Promise<OutboxKey[]>
  /** Tells the thread of them, so that queries see them; then what the disk said. */
  show(stream: StreamPath, entries: readonly NewEntry[]): Promise<void>
  stored(stream: StreamPath, tickets: readonly number[], keys: readonly OutboxKey[]): Promise<void>
  refused(stream: StreamPath, tickets: readonly number[]): Promise<void>
  /** Sees to it that the disk has entries of which nobody knows whether it does. */
  secure(stream: StreamPath, tickets: readonly number[]): Promise<OutboxKey[]>
}

/**
 * Collects what is appended in one turn of the page and hands it to the disk as one transaction, in the microtask that
 * follows: before the page can do anything else, a navigation included. The page writes by itself; a thread in between
 * could die with the page before its turn has come.
 */
export class Outgoing {
  readonly #to: Destinations
  readonly #flusher: Flusher
  readonly #backlog = new Backlog()
  readonly #collected = new Map<StreamPath, OpenEntry[]>()
  readonly #unconfirmed = new Map<number, Settler<Offset>>()
  /** Those that the disk or the thread still has to answer. */
  readonly #underWay = new Set<Promise<void>>()
  #tickets = 0

  constructor(to: Destinations) {
    this.#to = to
    this.#flusher = new Flusher(to)
  }

  /** Whether what is appended outlives this page. */
  get lasts(): boolean {
    return this.#to.lasts
  }

  /** Takes one encoded event. It shares an entry with its neighbours as long as they fit in one batch. */
  append(stream: StreamPath, text: string, { durability, expected }: AppendTerms): Fate {
    if (this.#collected.size === 0) queueMicrotask(() => this.#flush())
    const entries = this.#collected.get(stream) ?? []
    if (entries.length === 0) this.#collected.set(stream, entries)
    const bytes = utf8Length(text)
    let entry = entries.at(-1)
    if (entry === undefined || expected !== undefined || !hasRoom(entry, bytes)) {
      entry = this.#newEntry(expected)
      entries.push(entry)
    }
    entry.texts.push(text)
    entry.bytes += bytes + 1 // the comma
    entry.isUrgent ||= durability === "flushed"
    return entry.fate
  }

  /**
   * Takes one encoded event in place of a refused one. It goes by itself: should the refused one be gone, nothing else
   * may be refused with it.
   */
  replace(stream: StreamPath, text: string, replaced: EventId): Fate {
    this.#flush() // what was appended before goes before
    const entry = this.#newEntry(undefined)
    entry.texts.push(text)
    entry.bytes = utf8Length(text) + 1
    entry.isUrgent = true
    this.#send(stream, [entry], replaced)
    return entry.fate
  }

  /** The thread tells what the edge said of an entry. */
  settle(notice: EntryNotice): void {
    const { ticket } = notice
    const settler = this.#unconfirmed.get(ticket)
    this.#unconfirmed.delete(ticket)
    this.#backlog[notice.kind](ticket)
    if (notice.kind === "confirmed") settler?.resolve(notice.offset)
    else settler?.reject(HeadwaterError.fromData(notice.error))
  }

  /** The thread tells what waits for the edge, of all tabs. */
  counted({ status, shows }: StatusNotice): void {
    this.#backlog.told(status.streams, shows)
  }

  /** Resolves when nothing that was appended before is under way to the disk, or has still to be flushed. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay)
    await this.#flusher.now()
  }

  /** The client has closed: nobody will hear of the rest. */
  abandon(reason: HeadwaterError): void {
    for (const settler of this.#unconfirmed.values()) settler.reject(reason)
    this.#unconfirmed.clear()
  }

  #newEntry(expected: Offset | undefined): OpenEntry {
    const ticket = ++this.#tickets
    const [taken, local, flushed, confirmed] = [
      settler<void>(),
      settler<void>(),
      settler<void>(),
      settler<Offset>(),
    ]
    this.#unconfirmed.set(ticket, confirmed)
    const promises = { local: local.promise, flushed: flushed.promise, confirmed: confirmed.promise }
    const fate = { taken: taken.promise, ...promises }
    return { texts: [], bytes: 0, isUrgent: false, taken, local, flushed, fate, ticket, expected }
  }

  #flush(): void {
    for (const [stream, entries] of this.#collected) this.#send(stream, entries)
    this.#collected.clear()
  }

  #send(stream: StreamPath, entries: readonly OpenEntry[], replaced?: EventId): void {
    const handing = this.#hand(stream, entries, replaced)
    this.#underWay.add(handing)
    void handing.finally(() => this.#underWay.delete(handing)) // what a bug makes fail is reported by the browser
  }

  async #hand(stream: StreamPath, entries: readonly OpenEntry[], replaced?: EventId): Promise<void> {
    const message = entries.map(({ ticket, texts, bytes, expected }) => ({
      ticket,
      text: texts.join(","),
      count: texts.length,
      bytes,
      expected,
    }))
    try {
      this.#backlog.admit(stream, message)
    } catch (reason) {
      for (const entry of entries) this.#refuse(entry, reason)
      return
    }
    const tickets = entries.map(({ ticket }) => ticket)
    const isFlushed = entries.some((entry) => entry.isUrgent)
    const written = this.#to.write(stream, message, isFlushed ? "strict" : "relaxed", replaced)
    const shown = this.#to.show(stream, message)
    let keys: OutboxKey[]
    try {
      keys = await written.catch((reason: unknown) => {
        if (!(reason instanceof OutcomeUnknown)) throw reason
        return this.#to.secure(stream, tickets)
      })
    } catch (reason) {
      await Promise.allSettled([shown, this.#to.refused(stream, tickets)]) // what failed here is of less interest
      for (const entry of entries) this.#refuse(entry, reason)
      return
    }
    for (const entry of entries) entry.taken.resolve()
    if (this.#to.lasts) this.#written(entries, isFlushed)
    else
      for (const { local, flushed } of entries) for (const level of [local, flushed]) level.reject(fleeting())
    await Promise.all([shown, this.#to.stored(stream, tickets, keys)])
  }

  #written(entries: readonly OpenEntry[], isFlushed: boolean): void {
    for (const entry of entries) entry.local.resolve()
    const flush = isFlushed ? Promise.resolve() : this.#flusher.flushed()
    flush.then(
      () => entries.forEach((entry) => void entry.flushed.resolve()),
      (reason: unknown) => entries.forEach((entry) => void entry.flushed.reject(reason)),
    )
  }

  #refuse({ ticket, taken, local, flushed }: OpenEntry, reason: unknown): void {
    this.#backlog.refused(ticket)
    taken.reject(reason)
    local.reject(reason)
    flushed.reject(reason)
    this.#unconfirmed.get(ticket)?.reject(reason)
    this.#unconfirmed.delete(ticket)
  }
}

/** Whether an event fits beside the others. One that expects a tail is alone with it. */
function hasRoom(entry: OpenEntry, bytes: number): boolean {
  if (entry.expected !== undefined) return false
  return (
    entry.texts.length < COMMON_LIMITS.batchEventsMax &&
    entry.bytes + bytes + 1 <= COMMON_LIMITS.batchBytesMax
  )
}

function fleeting(): HeadwaterError {
  return new HeadwaterError(
    "storage-unavailable",
    "This browser keeps nothing: the event ends with the page.",
  )
}
