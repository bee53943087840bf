import { HEADER } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Page } from "../stream/stream-core.ts"
import { cursorAfter } from "./cursor.ts"
import { Feed, type StreamStub } from "./feed.ts"
import { faultResponse, isEmpty, pageHeaders, pageOf } from "./page-response.ts"
import { readPage, type Streams } from "./read-page.ts"

/**
 * What there is after an offset, or what comes within the time that a poll is held; else an answer without a
 * body.
 */
export async function longPoll(
  streams: Streams,
  path: string,
  offset: string,
  cursor: string | null,
): Promise<Response> {
  const page = await readPage(streams, path, offset)
  if (page.kind !== "page") return faultResponse(page)
  const news = !isEmpty(page) || page.closed ? page : await waitForNews(streams.getByName(path), page)
  const next = cursorAfter(cursor, Date.now() as Millis, Math.random())
  const headers = { ...pageHeaders(news), [HEADER.cursor]: String(next) }
  if (isEmpty(news)) return new Response(null, { status: 204, headers })
  return new Response(news.body, { headers: { ...headers, "Content-Type": news.contentType } })
}

/** The page after an empty one; the same empty one when nothing came in time. */
async function waitForNews(stub: StreamStub, page: Page): Promise<Page> {
  const feed = await Feed.open(stub, page.next, AbortSignal.timeout(LIMITS.longPollMsMax))
  try {
    for (let frame = await feed.next(); frame !== undefined; frame = await feed.next()) {
      const news = pageOf(frame, page)
      if (news !== undefined) return news
    }
    return page
  } finally {
    feed.close()
  }
}
