import { HEADER } from "../../shared/http.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { noRoom } from "../../shared/refusals.ts"
import type { Page } from "../stream/stream-reads.ts"
import { appendResponse } from "./answer.ts"
import { cursorAfter } from "./cursor.ts"
import { Feed, type FeedSource } from "./feed.ts"
import { faultResponse, isEmpty, pageHeaders, pageOf } from "./page-response.ts"
import { appliedHeaders, type Hold } from "./prefer.ts"
import { readPage, type Source } from "./read-page.ts"

export type PollTerms = { readonly bounds: Bounds; readonly hold: Hold }

/**
 * What there is after an offset, or what comes within the time that a poll is held; else an answer without a
 * body.
 */
export async function longPoll(
  source: Source,
  offset: string,
  cursor: string | null,
  { bounds, hold }: PollTerms,
): Promise<Response> {
  const page = await readPage(source, offset)
  if (page.kind !== "page") return faultResponse(page)
  const isNews = !isEmpty(page) || page.closed
  const news = isNews ? page : await waitForNews(source, page, hold.ms)
  if (news === undefined) return appendResponse(noRoom(bounds))
  const next = cursorAfter(cursor, Date.now() as Millis, Math.random())
  const headers = { ...pageHeaders(news), ...appliedHeaders(hold), [HEADER.cursor]: String(next) }
  if (isEmpty(news)) return new Response(null, { status: 204, headers })
  return new Response(news.body, { headers: { ...headers, "Content-Type": news.contentType } })
}

/** The page after an empty one; the same one when nothing came in time. Undefined when there is no room to wait. */
async function waitForNews(to: FeedSource, page: Page, msMax: number): Promise<Page | undefined> {
  const feed = await Feed.open(to, page.next, AbortSignal.timeout(msMax))
  if (feed === undefined) return undefined
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
