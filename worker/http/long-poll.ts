import { HEADER } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Page } from "../stream/stream-core.ts"
import { cursorAfter } from "./cursor.ts"
import { Feed, type StreamStub } from "./feed.ts"
import { faultResponse, isEmpty, pageHeaders, pageOf } from "./page-response.ts"
import { appliedHeaders, type Hold } from "./prefer.ts"

/**
 * What there is after an offset, or what comes within the time that a poll is held; else an answer without a
 * body.
 */
export async function longPoll(
  stub: StreamStub,
  offset: string,
  cursor: string | null,
  hold: Hold,
): Promise<Response> {
  const page = await stub.read(offset)
  if (page.kind !== "page") return faultResponse(page)
  const news = !isEmpty(page) || page.closed ? page : await waitForNews(stub, page, hold)
  const next = cursorAfter(cursor, Date.now() as Millis, Math.random())
  const headers = { ...pageHeaders(news), ...appliedHeaders(hold), [HEADER.cursor]: String(next) }
  if (isEmpty(news)) return new Response(null, { status: 204, headers })
  return new Response(news.body, { headers: { ...headers, "Content-Type": news.contentType } })
}

/** The page after an empty one; the same empty one when nothing came in time. */
async function waitForNews(stub: StreamStub, page: Page, { ms }: Hold): Promise<Page> {
  const feed = await Feed.open(stub, page.next, AbortSignal.timeout(ms))
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
