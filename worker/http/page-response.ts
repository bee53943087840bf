import type { EdgeFrame } from "../../shared/frames.ts"
import { HEADER } from "../../shared/http.ts"
import { arrayOfText } from "../page-body.ts"
import type { Page, ReadFault } from "../stream/stream-reads.ts"
import { refuse } from "./answer.ts"

export const LIVE_MODES = { [HEADER.liveModes]: "long-poll, sse, ws" }

/** Why nothing was read. */
export function faultResponse(fault: ReadFault): Response {
  switch (fault.kind) {
    case "missing":
      return refuse(404, "There is no such stream.")
    case "deleted":
      return refuse(410, "The stream was deleted; only forks of it still read what it held.")
    case "gone":
      return refuse(
        410,
        "The offset belongs to another log: that of a stream that was deleted, or that forked off.",
      )
    case "lost":
      return refuse(
        410,
        "The stream no longer holds what was before the offset: it is an older copy of itself.",
      )
    case "trimmed": {
      const headers = { [HEADER.earliestOffset]: fault.earliest }
      return refuse(
        410,
        `The stream keeps what is after ${fault.earliest}, and the offset is before.`,
        headers,
      )
    }
    case "malformed":
      return refuse(400, fault.reason)
  }
}

/**
 * What comes in a frame as the page that HTTP makes of it; undefined when it only says that nothing is new.
 */
export function pageOf(frame: EdgeFrame, before: Page): Page | undefined {
  if (frame.t === "control" && frame.closed) return { ...before, ...frame, from: before.next, body: EMPTY }
  if (frame.t !== "data") return undefined
  return { ...before, ...frame, body: typeof frame.body === "string" ? arrayOfText(frame.body) : frame.body }
}

/** For what never changes. */
export const IMMUTABLE = "public, max-age=31536000, immutable"

const EMPTY = new Uint8Array()

/** Whether a page holds nothing. An empty JSON array has a body all the same. */
export function isEmpty({ from, next }: Pick<Page, "from" | "next">): boolean {
  return from === next
}

export function pageHeaders(page: Page): Record<string, string> {
  return {
    ...LIVE_MODES,
    [HEADER.nextOffset]: page.next,
    ...(page.upToDate && { [HEADER.upToDate]: "true" }),
    ...(page.closed && { [HEADER.closed]: "true" }),
  }
}

/** What a catch-up read asked for. */
export type PageAsked = { readonly path: string; readonly offset: string; readonly end: string | undefined }

/**
 * The answer to a catch-up read. A page that ends before the tail never changes, so caches may keep it as the
 * protocol proposes; one that ends at the tail may grow with the next append, so it is asked for again, and a
 * 304 answers if it has not. What lies between two offsets never changes at all, if all of it came: so nothing is
 * said there of the tail, which moves. Of `offset=now` nothing is worth keeping.
 */
export function pageResponse(request: Request, { path, offset, end }: PageAsked, found: Page): Response {
  const isFixed = found.next === end
  const page = isFixed ? { ...found, upToDate: false, closed: false } : found
  const headers = { ...pageHeaders(page), "Content-Type": page.contentType }
  if (offset === "now")
    return new Response(page.body, { headers: { ...headers, "Cache-Control": "no-store" } })
  const etag = `"${path}:${page.from}:${page.next}${tailMark(page)}"`
  const cache = isFixed ? IMMUTABLE : cacheControl(page)
  const all = { ...headers, ETag: etag, "Cache-Control": cache }
  if (isKnown(request.headers.get("if-none-match"), etag))
    return new Response(null, { status: 304, headers: all })
  return new Response(page.body, { headers: all })
}

/** A 304 says what the page says of the tail once more, so a page that says something else has another tag. */
function tailMark({ upToDate, closed }: Page): string {
  if (closed) return ":c"
  return upToDate ? ":t" : ""
}

function cacheControl({ upToDate }: Page): string {
  return upToDate ? "public, no-cache" : "public, max-age=60, stale-while-revalidate=300"
}

/** Whether whoever asks has it already, by the tags in `If-None-Match`. */
export function isKnown(sent: string | null, etag: string): boolean {
  if (sent === null) return false
  return sent.split(",").some((tag) => tag.trim() === "*" || tag.trim().replace(/^W\//, "") === etag)
}
