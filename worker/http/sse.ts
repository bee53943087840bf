import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Page } from "../stream/stream-core.ts"
import { cursorAfter } from "./cursor.ts"
import { Feed, type StreamStub } from "./feed.ts"
import { faultResponse, LIVE_MODES, pageOf } from "./page-response.ts"
import { readPage, type Streams } from "./read-page.ts"
import { sseEncoding, sseEvents } from "./sse-text.ts"

/**
 * Everything after an offset as server-sent events, until the stream is closed or the answer has lasted long
 * enough.
 */
export async function sse(
  streams: Streams,
  path: string,
  offset: string,
  cursor: string | null,
): Promise<Response> {
  const first = await readPage(streams, path, offset)
  if (first.kind !== "page") return faultResponse(first)
  const left = new AbortController()
  const signal = AbortSignal.any([left.signal, AbortSignal.timeout(LIMITS.sseMsMax)])
  const pages = pagesFrom(streams, path, first, signal)
  const encoder = new TextEncoder()
  let last = cursorAfter(cursor, Date.now() as Millis, Math.random())
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value: page } = await pages.next()
      if (page === undefined) return controller.close()
      last = Math.max(last, cursorAfter(null, Date.now() as Millis, 0))
      controller.enqueue(encoder.encode(sseEvents(page, last)))
    },
    cancel: () => left.abort(),
  })
  const headers = { ...LIVE_MODES, ...sseEncoding(first.contentType), "Content-Type": "text/event-stream" }
  return new Response(body, {
    headers: { ...headers, "Cache-Control": "no-cache", "Content-Encoding": "identity" },
  })
}

/**
 * `first`, then what follows it without gap: pages as long as there is much, the feed of the socket at the
 * tail.
 */
async function* pagesFrom(
  streams: Streams,
  path: string,
  first: Page,
  signal: AbortSignal,
): AsyncGenerator<Page, undefined> {
  let page = first
  yield page
  while (!page.closed && !signal.aborted) {
    if (page.upToDate) page = yield* pagesOfFeed(streams.getByName(path), page, signal)
    if (page.closed || signal.aborted) return
    const read = await readPage(streams, path, page.next)
    if (read.kind !== "page") return
    page = read
    yield page
  }
}

/**
 * Ends with the last page, after which the socket has closed: with the stream, behind it, or with the signal.
 */
async function* pagesOfFeed(stub: StreamStub, before: Page, signal: AbortSignal): AsyncGenerator<Page, Page> {
  const feed = await Feed.open(stub, before.next, signal)
  let page = before
  try {
    for (let frame = await feed.next(); frame !== undefined; frame = await feed.next()) {
      const news = pageOf(frame, page)
      if (news === undefined) continue
      page = news
      yield page
    }
    return page
  } finally {
    feed.close()
  }
}
