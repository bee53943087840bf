import { assert } from "../../shared/assert.ts"
import { joinBatches } from "../../shared/batch.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import { isAfter, type Offset } from "../../shared/offset.ts"
import { mayBeBeyond, pageBehind } from "../../shared/page-places.ts"
import type { BesideLog } from "../disk/beside-log.ts"
import type { Host } from "../host.ts"
import type { ReaderNumber, ReadRequest } from "../port.ts"
import { Growth } from "./growth.ts"
import { holdLock } from "./lock.ts"
import type { Pages } from "./whole-log.ts"

export type LogReadersParts = {
  readonly host: Pick<Host, "lock">
  readonly whole: Pages
  readonly beside: BesideLog
  /** Of the account: readers of one cursor wait for one another in all its tabs. */
  readonly name: string
  /** How far this tab has come with a log: a leader is ahead of its disk by what is being written. */
  head(stream: StreamPath): Offset
}

type OpenReader = {
  readonly stream: StreamPath
  readonly cursor: string | undefined
  readonly pages: AsyncGenerator<PageText, void>
  readonly closing: AbortController
}

/**
 * What this tab's page reads of logs. All of it comes from the disk, in the pace of whoever reads: nothing is read
 * before it is asked for. What this tab knows when a reader begins, it waits for.
 */
export class LogReaders {
  readonly #parts: LogReadersParts
  readonly #growth = new Growth()
  readonly #readers = new Map<ReaderNumber, OpenReader>()
  #numbers = 0
  #isClosed = false

  constructor(parts: LogReadersParts) {
    this.#parts = parts
  }

  open(stream: StreamPath, request: ReadRequest): ReaderNumber {
    const closing = new AbortController()
    const pages = this.#pages(stream, request, closing.signal)
    this.#readers.set(++this.#numbers, { stream, cursor: request.cursor, pages, closing })
    return this.#numbers
  }

  /**
   * The next messages of the log; undefined at its end.
   * @throws HeadwaterError `invalid-offset` when the log has no such place; `storage-unavailable`; `closed`; what
   * keeps the edge from giving what is absent here.
   */
  async next(reader: ReaderNumber): Promise<PageText | undefined> {
    const page = await this.#reader(reader).pages.next()
    if (this.#isClosed) throw new HeadwaterError("closed", "The client is closed.")
    return page.value ?? undefined
  }

  async moveCursor(reader: ReaderNumber, offset: Offset): Promise<void> {
    const { stream, cursor } = this.#reader(reader)
    assert(cursor !== undefined, `reader ${reader} has a cursor to move`)
    await this.#parts.beside.moveCursor(stream, cursor, offset)
  }

  /** The reader's lock is free, and whoever waits for its next page has its end. Idempotent. */
  close(reader: ReaderNumber): void {
    this.#readers.get(reader)?.closing.abort()
    this.#readers.delete(reader)
  }

  /** The disk has more of the stream's log, or does not take it. */
  grown(stream: StreamPath): void {
    this.#growth.grown(stream)
  }

  /** No lock is held and nothing is waited for when it returns. */
  end(): void {
    this.#isClosed = true
    for (const { closing } of this.#readers.values()) closing.abort()
  }

  #reader(reader: ReaderNumber): OpenReader {
    const found = this.#readers.get(reader)
    assert(found !== undefined, `reader ${reader} was opened by this thread, and not closed`)
    return found
  }

  async *#pages(
    stream: StreamPath,
    request: ReadRequest,
    closing: AbortSignal,
  ): AsyncGenerator<PageText, void> {
    let at = request.from
    if (request.cursor !== undefined) {
      await holdLock(this.#parts.host, `${this.#parts.name}:cursor:${stream}:${request.cursor}`, closing)
      if (closing.aborted) return
      at = (await this.#parts.beside.cursor(stream, request.cursor)) ?? at
    }
    const head = this.#parts.head(stream)
    const isBeingWritten = () => isAfter(head, at) && isAfter(this.#parts.head(stream), at)
    for (let isFirst = true; !closing.aborted; isFirst = false) {
      const [count, before] = [this.#growth.count(stream), at]
      for await (const page of this.#stored(stream, at)) {
        yield page
        at = page.next
      }
      const isStill = at === before && !isFirst // the disk does not take it
      if (!request.live && (isStill || !isBeingWritten())) return
      await this.#growth.past(stream, count, closing)
    }
  }

  /** What the disk has behind a place, some megabytes at a time: a log of small pages would else be read for ever. */
  async *#stored(stream: StreamPath, from: Offset): AsyncGenerator<PageText, void> {
    const { whole, beside } = this.#parts
    const head = await beside.head(stream)
    let at = from
    for await (const pages of whole.pages(stream, { after: from, upTo: head })) {
      const page = pageBehind(joined(pages), at)
      if (page === undefined) throw invalidOffset(stream, at)
      at = page.next
      yield page
    }
    if (!mayBeBeyond(head, at)) throw invalidOffset(stream, at)
  }
}

/** Stored pages follow one another. */
function joined(pages: readonly PageText[]): PageText {
  const [first, last] = [pages[0], pages.at(-1)]
  assert(first !== undefined && last !== undefined, "a read of the disk that finds nothing gives nothing")
  return { from: first.from, next: last.next, text: joinBatches(pages.map(({ text }) => text)) }
}

function invalidOffset(stream: StreamPath, offset: Offset): HeadwaterError {
  const expected = `an offset that the log of ${stream} has given`
  return new HeadwaterError("invalid-offset", `Reading begins at ${expected}; it has no place ${offset}.`)
}
