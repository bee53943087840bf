import { fullness, fullSentence, type Load, plus } from "../../shared/backlog.ts"
import { parseBatch } from "../../shared/batch.ts"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { type ErrorData, HeadwaterError } from "../../shared/errors.ts"
import { isEvent } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { decodeEventLine, type EventLine } from "../../shared/ndjson.ts"
import { START } from "../../shared/offset.ts"
import type { BesideLog } from "../disk/beside-log.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { Host } from "../host.ts"
import type { ImportStep } from "../port.ts"
import type { Replica } from "../replica/replica.ts"
import { holdLock } from "./lock.ts"
import type { Pages } from "./whole-log.ts"

export type ImporterParts = {
  readonly host: Pick<Host, "lock">
  readonly log: DeviceLog
  readonly whole: Pages
  readonly beside: BesideLog
  /** Of the account. */
  readonly name: string
  replica(stream: StreamPath): Promise<Replica>
  /** The disk has entries of the stream that nobody has shown. They are shown when it resolves. */
  stored(stream: StreamPath): Promise<void>
}

/** An event, and how many lines come before it. */
type Found = EventLine & { readonly line: number }

/** Why the line behind `upTo` others is not dealt with. */
type Stop = { readonly upTo: number; readonly error: ErrorData | undefined }

/**
 * Appends events that were written elsewhere. One import of a stream is at work at a time in all tabs, so what it finds
 * on the disk stays true until it has written; what it has written it finds, so it may be repeated from any point.
 */
export class Importer {
  readonly #parts: ImporterParts
  readonly #ended = new AbortController()

  constructor(parts: ImporterParts) {
    this.#parts = parts
  }

  /** Takes lines in order, up to the first that is no event or has no room. */
  async take(stream: StreamPath, lines: readonly string[]): Promise<ImportStep> {
    const over = new AbortController()
    const end = () => over.abort()
    this.#ended.signal.addEventListener("abort", end)
    try {
      await holdLock(this.#parts.host, `${this.#parts.name}:import:${stream}`, over.signal)
      if (over.signal.aborted) throw new HeadwaterError("closed", "The client is closed.")
      return await this.#take(stream, lines)
    } finally {
      this.#ended.signal.removeEventListener("abort", end)
      end()
    }
  }

  /** No lock is held or waited for when it returns. */
  end(): void {
    this.#ended.abort()
  }

  async #take(stream: StreamPath, lines: readonly string[]): Promise<ImportStep> {
    const { found, stop } = decoded(lines)
    const fresh = await this.#unknown(stream, found)
    const { pendingEvents, pendingBytes } = await this.#parts.replica(stream)
    const fit = fitting(stream, { events: pendingEvents, bytes: pendingBytes }, fresh)
    const { upTo, error } = (await this.#append(stream, fit.events)) ?? fit.stop ?? stop
    const appended = fresh.filter(({ line }) => line < upTo).length
    if (appended > 0) await this.#parts.stored(stream)
    const dealtWith = found.filter(({ line }) => line < upTo).length
    return { done: upTo, appended, skipped: dealtWith - appended, error }
  }

  /** Each event is an entry of its own: an entry is known by its first event, and these are known one by one. */
  async #append(stream: StreamPath, events: readonly Found[]): Promise<Stop | undefined> {
    for (let at = 0; at < events.length; at += COMMON_LIMITS.batchEventsMax) {
      const some = events.slice(at, at + COMMON_LIMITS.batchEventsMax) // transactions on the outbox are short
      try {
        await this.#parts.log.append(
          stream,
          some.map(({ text, bytes }) => ({ text, count: 1, bytes })),
          "strict",
        )
      } catch (reason) {
        if (!(reason instanceof HeadwaterError)) throw reason
        return { upTo: some[0]?.line ?? 0, error: reason.toData() }
      }
    }
    return undefined
  }

  /** Those that are not on this device, each id once. Reads the whole log, and keeps nothing of it. */
  async #unknown(stream: StreamPath, found: readonly Found[]): Promise<Found[]> {
    const unknown = new Map<string, Found>()
    for (const event of found) if (!unknown.has(event.id)) unknown.set(event.id, event)
    const forget = (batch: string) => {
      for (const message of parseBatch(batch)) if (isEvent(message)) unknown.delete(message.id)
    }
    const { whole, beside } = this.#parts
    const { head, texts } = await beside.outside(stream)
    for (const text of texts) forget(text)
    for await (const pages of whole.pages(stream, { after: START, upTo: head })) {
      if (unknown.size === 0) break
      for (const { text } of pages) forget(text)
    }
    return [...unknown.values()]
  }
}

function decoded(lines: readonly string[]): { found: Found[]; stop: Stop } {
  const found: Found[] = []
  for (const [line, text] of lines.entries()) {
    if (text.trim() === "") continue
    const event = decodeEventLine(text)
    if (!event.ok)
      return { found, stop: { upTo: line, error: { code: "invalid-import", message: event.reason } } }
    found.push({ ...event.value, line })
  }
  return { found, stop: { upTo: lines.length, error: undefined } }
}

/** Those that there is room for beside what waits, and why the next one has none. */
function fitting(
  stream: StreamPath,
  waiting: Load,
  events: readonly Found[],
): { events: Found[]; stop?: Stop } {
  const fit: Found[] = []
  let load = waiting
  for (const event of events) {
    const more = plus(load, { events: 1, bytes: event.bytes })
    const full = fullness(more)
    if (full !== undefined) {
      const error = { code: "backlog-full", message: fullSentence(stream, load, full) } as const
      return { events: fit, stop: { upTo: event.line, error } }
    }
    load = more
    fit.push(event)
  }
  return { events: fit }
}
