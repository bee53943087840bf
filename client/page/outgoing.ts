import { HeadwaterError } from "../../shared/errors.ts"
import { utf8Length } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import type { NewEntry, Notice } from "../port.ts"

/** The fate of the events of one entry, shared by their receipts. */
export type Fate = {
  /** Resolves when they are flushed to this device's disk. */
  readonly stored: Promise<void>
  /** Resolves with an offset that lies behind them once the edge has them. */
  readonly confirmed: Promise<Offset>
}

type OpenEntry = {
  readonly texts: string[]
  bytes: number
  readonly stored: Settler<void>
  readonly fate: Fate
  readonly ticket: number
}

export type SendEntries = (stream: StreamPath, entries: readonly NewEntry[]) => Promise<void>

/**
 * Collects what is appended in one turn of the page and sends it to the thread as one message, in the microtask that
 * follows: before the page can do anything else, a navigation included.
 */
export class Outgoing {
  readonly #send: SendEntries
  readonly #collected = new Map<StreamPath, OpenEntry[]>()
  readonly #unconfirmed = new Map<number, Settler<Offset>>()
  #tickets = 0

  constructor(send: SendEntries) {
    this.#send = send
  }

  /** Takes one encoded event. It shares an entry with its neighbours as long as they fit in one batch. */
  append(stream: StreamPath, text: string): Fate {
    if (this.#collected.size === 0) queueMicrotask(() => this.#flush())
    const entries = this.#collected.get(stream) ?? []
    if (entries.length === 0) this.#collected.set(stream, entries)
    const bytes = utf8Length(text)
    let entry = entries.at(-1)
    const isFull =
      entry !== undefined &&
      (entry.texts.length >= LIMITS.batchEventsMax || entry.bytes + bytes + 1 > LIMITS.batchBytesMax)
    if (entry === undefined || isFull) {
      entry = this.#newEntry()
      entries.push(entry)
    }
    entry.texts.push(text)
    entry.bytes += bytes + 1 // the comma
    return entry.fate
  }

  /** The thread tells what the edge said of an entry. */
  settle(notice: Exclude<Notice, { kind: "status" }>): void {
    const settler = this.#unconfirmed.get(notice.ticket)
    this.#unconfirmed.delete(notice.ticket)
    if (notice.kind === "confirmed") settler?.resolve(notice.offset)
    else settler?.reject(HeadwaterError.fromData(notice.error))
  }

  /** The client closes: nobody will hear of the rest. */
  abandon(reason: HeadwaterError): void {
    for (const settler of this.#unconfirmed.values()) settler.reject(reason)
    this.#unconfirmed.clear()
  }

  #newEntry(): OpenEntry {
    const ticket = ++this.#tickets
    const stored = settler<void>()
    const confirmed = settler<Offset>()
    this.#unconfirmed.set(ticket, confirmed)
    return {
      texts: [],
      bytes: 0,
      stored,
      ticket,
      fate: { stored: stored.promise, confirmed: confirmed.promise },
    }
  }

  #flush(): void {
    for (const [stream, entries] of this.#collected) void this.#hand(stream, entries)
    this.#collected.clear()
  }

  async #hand(stream: StreamPath, entries: readonly OpenEntry[]): Promise<void> {
    const message = entries.map(({ ticket, texts, bytes }) => ({
      ticket,
      text: texts.join(","),
      count: texts.length,
      bytes,
    }))
    try {
      await this.#send(stream, message)
      for (const entry of entries) entry.stored.resolve()
    } catch (reason) {
      for (const entry of entries) {
        entry.stored.reject(reason)
        this.#unconfirmed.get(entry.ticket)?.reject(reason)
        this.#unconfirmed.delete(entry.ticket)
      }
    }
  }
}

type Settler<T> = { readonly promise: Promise<T>; resolve(value: T): void; reject(reason: unknown): void }

/** A promise and its two ends. Nobody has to await it: who does not care about the fate is not told of it. */
function settler<T>(): Settler<T> {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  promise.catch(() => {})
  return { promise, resolve, reject }
}
