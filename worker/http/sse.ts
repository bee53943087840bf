import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { noRoom } from "../../shared/refusals.ts"
import type { Page } from "../stream/stream-reads.ts"
import { appendResponse } from "./answer.ts"
import { cursorAfter } from "./cursor.ts"
import { Feed } from "./feed.ts"
import { faultResponse, LIVE_MODES, pageOf } from "./page-response.ts"
import { readPage, type Source } from "./read-page.ts"
import { sseEncoding, sseEvents } from "./sse-text.ts"

/**
 * Everything after an offset as server-sent events, until the stream is closed or the answer has lasted long
 * enough.
 */
export async function sse(
  source: Source,
  offset: string,
  cursor: string | null,
  bounds: Bounds,
): Promise<Response> {
  const first = await readPage(source, offset)
  if (first.kind !== "page") return faultResponse(first)
  const left = new AbortController()
  const signal = AbortSignal.any([left.signal, AbortSignal.timeout(bounds.sseMsMax)])
  const isAtTail = first.upToDate && !first.closed
  const feed = isAtTail ? await Feed.open(source, first.next, signal) : undefined
  if (isAtTail && feed === undefined) return appendResponse(noRoom(bounds)) // once it has begun, it can only end
  const pages = pagesFrom(source, first, feed, signal)
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
  source: Source,
  first: Page,
  opened: Feed | undefined,
  signal: AbortSignal,
): AsyncGenerator<Page, undefined> {
  let page = first
  let feed = opened
  yield page
  while (!page.closed && !signal.aborted) {
    if (page.upToDate) {
      feed ??= await Feed.open(source, page.next, signal)
      if (feed === undefined) return
      page = yield* pagesOfFeed(feed, page)
      feed = undefined
    }
    if (page.closed || signal.aborted) return
    const read = await readPage(source, page.next)
    if (read.kind !== "page") return
    page = read
    yield page
  }
}

/**
 * Ends with the last page that was taken, after which the socket has closed: with the stream, behind it, with the
 * signal, or because its reader was slow.
 */
async function* pagesOfFeed(feed: Feed, before: Page): AsyncGenerator<Page, Page> {
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
