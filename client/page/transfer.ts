import { fullness, plus } from "../../shared/backlog.ts"
import { messageTexts } from "../../shared/batch.ts"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { type ErrorData, HeadwaterError } from "../../shared/errors.ts"
import { utf8Length } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LineCutter, toLine } from "../../shared/ndjson.ts"
import { START } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { NO_KEY } from "../disk/records.ts"
import type { EntryKind, EntryTexts, Reply } from "../port.ts"
import type { ClientStatus } from "../status.ts"
import { LogSource } from "./log-source.ts"
import type { ThreadLink } from "./thread-link.ts"

/** What of a stream is exported: what the edge has confirmed, what waits for it, or what it has refused for good. */
export type ExportOptions = { readonly what: "log" | EntryKind }

/** Text in UTF-8 or as strings, in pieces of any size. */
export type ImportSource =
  | string
  | Iterable<string>
  | AsyncIterable<string>
  | Blob
  | ReadableStream<Uint8Array>

export type ImportResult = {
  /** Events that were stored, and wait for the edge now. */
  readonly appended: number
  /** Events that this device had. */
  readonly skipped: number
}

const KINDS: readonly ExportOptions["what"][] = ["log", "pending", "rejected"]

/** What an import needs of its client. */
export type ImportHost = {
  readonly link: ThreadLink
  onStatus(listener: (status: ClientStatus) => void): () => void
}

/** One line for each message. Nothing is read before the first is asked for. */
export async function* exportLines(
  link: ThreadLink,
  stream: StreamPath,
  options: ExportOptions,
): AsyncGenerator<string, void> {
  const what = options?.what // callers without types pass anything
  if (!KINDS.includes(what)) {
    const expected = `export expects what to be one of ${KINDS.join(", ")}`
    throw new HeadwaterError("invalid-options", `${expected}; ${JSON.stringify(what) ?? String(what)} came.`)
  }
  const batches = what === "log" ? logBatches(link, stream) : entryBatches(link, stream, what)
  for await (const batch of batches) for (const message of messageTexts(batch)) yield toLine(message)
}

async function* logBatches(link: ThreadLink, stream: StreamPath): AsyncGenerator<string, void> {
  const source = new LogSource(link, stream, { from: START, live: false, cursor: undefined })
  try {
    for (let page = await source.next(); page !== undefined; page = await source.next()) yield page.text
  } finally {
    await source.close()
  }
}

async function* entryBatches(
  link: ThreadLink,
  stream: StreamPath,
  kind: EntryKind,
): AsyncGenerator<string, void> {
  let after: OutboxKey | undefined = NO_KEY
  while (after !== undefined) {
    const entries: EntryTexts = await link.ask(link.engine.entriesBehind(stream, kind, after))
    yield* entries.texts
    after = entries.upTo
  }
}

/** Brings lines to the thread, and waits for room as long as the edge makes some. */
export async function importLines(
  host: ImportHost,
  stream: StreamPath,
  source: ImportSource,
): Promise<ImportResult> {
  const { link } = host
  let [appended, skipped, line] = [0, 0, 0]
  try {
    for await (let lines of gathered(piecesOf(source))) {
      while (lines.length > 0) {
        const step = await link.ask(link.engine.importLines(stream, lines))
        appended += step.appended
        skipped += step.skipped
        line += step.done
        lines = lines.slice(step.done)
        if (step.error === undefined) continue
        const goesOn = step.error.code === "backlog-full" && (await roomFor(host, stream, lines))
        if (!goesOn) throw HeadwaterError.fromData(atLine(step.error, line + 1))
      }
    }
  } catch (reason) {
    if (!(reason instanceof HeadwaterError)) throw reason
    const soFar = `${appended} events were stored before, ${skipped} were there already.`
    throw new HeadwaterError(reason.code, `${reason.message} ${soFar}`, { cause: reason })
  }
  return { appended, skipped }
}

function atLine({ code, message }: ErrorData, line: number): ErrorData {
  return { code, message: `Line ${line}: ${message}` }
}

/** As many lines as are dealt with together. */
async function* gathered(pieces: AsyncIterable<string>): AsyncGenerator<string[], void> {
  const cutter = new LineCutter()
  let [lines, length]: [string[], number] = [[], 0]
  for await (const piece of pieces) {
    for (const line of cutter.cut(piece)) {
      lines.push(line)
      length += line.length
      if (lines.length < COMMON_LIMITS.importLinesMax && length < COMMON_LIMITS.importLengthMax) continue
      yield lines
      ;[lines, length] = [[], 0]
    }
    if (cutter.restLength > COMMON_LIMITS.eventBytesMax) break // it will be refused, however it goes on
  }
  lines.push(...cutter.end())
  yield lines
}

async function* piecesOf(source: ImportSource): AsyncGenerator<string, void> {
  if (typeof source === "string") yield source
  else if (source instanceof Blob) yield* decoded(source.stream())
  else if (source instanceof ReadableStream) yield* decoded(source)
  else if (isIterable(source)) yield* strings(source)
  else throw notText(source)
}

/** By its reader: not every browser iterates streams. */
async function* decoded(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const reader = stream.getReader()
  const decoder = new TextDecoder("utf-8", { fatal: true })
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      yield inUtf8(() => decoder.decode(read.value, { stream: true }))
    }
    yield inUtf8(() => decoder.decode())
  } finally {
    await reader.cancel()
  }
}

function inUtf8(decode: () => string): string {
  try {
    return decode()
  } catch (cause) {
    throw new HeadwaterError("invalid-import", "Text in UTF-8 was expected; other bytes came.", { cause })
  }
}

async function* strings(source: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<string, void> {
  for await (const piece of source) {
    if (typeof piece !== "string") throw notText(piece)
    yield piece
  }
}

function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value !== "object" || value === null) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

function notText(came: unknown): HeadwaterError {
  const expected = "import expects text, strings, a Blob or a stream of bytes"
  return new HeadwaterError("invalid-import", `${expected}; ${typeof came} came.`)
}

/** Whether so many more events may wait. While the edge takes events it is worth waiting for. */
function roomFor({ link, onStatus }: ImportHost, stream: StreamPath, lines: string[]): Promise<boolean> {
  const more = { events: lines.length, bytes: lines.reduce((sum, line) => sum + utf8Length(line), 0) }
  const room = new Promise<Reply<boolean>>((resolve) => {
    const stop = onStatus(({ streams }) => {
      const { pending = 0, pendingBytes = 0, connection } = streams[stream] ?? {}
      const hasRoom = fullness(plus({ events: pending, bytes: pendingBytes }, more)) === undefined
      if (!hasRoom && connection === "live") return
      queueMicrotask(() => stop()) // it is called before `onStatus` has given the way to stop
      resolve({ ok: true, value: hasRoom })
    })
  })
  return link.ask(room)
}
