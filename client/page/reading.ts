import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import { type HeadwaterEvent, isEvent } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { type Offset, parseOffset, START } from "../../shared/offset.ts"
import { placedTexts } from "../../shared/page-places.ts"
import type { ReadRequest } from "../port.ts"
import { CursorKeeper } from "./cursor-keeper.ts"
import { LogSource } from "./log-source.ts"
import type { ThreadLink } from "./thread-link.ts"

export type ReadOptions = {
  /**
   * Where to begin: any offset that this log has given, also one that this device has not read up to. Default: the
   * start.
   */
  readonly from?: Offset
  /** Whether to go on with what arrives, instead of ending where this device's log ends. Default: no. */
  readonly live?: boolean
  /** The name of a place that this device keeps. Reading begins there once it has one; until then at `from`. */
  readonly cursor?: string
}

/** A message of a log, in the edge's order. */
export type LogEvent = {
  /** The place right behind it: reading from there goes on with the next one. */
  readonly offset: Offset
  /** The message if it is an event of ours, of any type: other versions of the app, and others, append as well. */
  readonly event: HeadwaterEvent | undefined
  /** What was appended, whatever it is. */
  readonly message: unknown
}

/** The messages of a log, one at a time. Nothing is read before the first is asked for. */
export function readLog(
  link: ThreadLink,
  stream: StreamPath,
  options: ReadOptions,
): AsyncIterableIterator<LogEvent> {
  const request = readRequest(options)
  const source = new LogSource(link, stream, request)
  const events = eventsOf(source, request.cursor !== undefined)
  return {
    [Symbol.asyncIterator]() {
      return this
    },
    next: () => events.next(),
    async return() {
      source.stop() // a generator that waits would end when the next message came
      await events.return()
      return { done: true, value: undefined }
    },
  }
}

/** A message is done with when the next one is asked for. */
async function* eventsOf(source: LogSource, keepsPlace: boolean): AsyncGenerator<LogEvent, void> {
  const keeper = keepsPlace ? new CursorKeeper((offset) => source.moveCursor(offset)) : undefined
  try {
    for (let page = await source.next(); page !== undefined; page = await source.next()) {
      for (const { text, offset } of placedTexts(page)) {
        const message: unknown = JSON.parse(text)
        yield { offset, event: isEvent(message) ? message : undefined, message }
        keeper?.reached(offset)
      }
    }
  } finally {
    try {
      await keeper?.flush()
    } finally {
      await source.close()
    }
  }
}

function readRequest({ from = START, live = false, cursor }: ReadOptions): ReadRequest {
  const offset: unknown = from // callers without types pass anything
  if (typeof offset !== "string" || parseOffset(offset) === undefined)
    throw new HeadwaterError(
      "invalid-offset",
      `read expects from to be an offset of this log; ${said(offset)} came.`,
    )
  const name: unknown = cursor
  if (name !== undefined && !isName(name)) {
    const expected = `read expects cursor to be a name of 1 to ${COMMON_LIMITS.cursorNameLengthMax} characters`
    throw new HeadwaterError("invalid-options", `${expected}; ${said(name)} came.`)
  }
  return { from, live, cursor }
}

function isName(name: unknown): boolean {
  return typeof name === "string" && name !== "" && name.length <= COMMON_LIMITS.cursorNameLengthMax
}

function said(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
