import type { Absent } from "../stream/stream-life.ts"
import type { SegmentList } from "../stream/stream-reads.ts"
import { faultResponse } from "./page-response.ts"

/**
 * The sealed part of a stream as JSON: of each segment its offsets, the bytes of its body, the SHA-256 of its object,
 * and the address, relative to the stream's, of a read that will be answered the same for ever.
 */
export function segmentListResponse(list: SegmentList | Absent): Response {
  if (list.kind !== "segments") return faultResponse(list)
  return Response.json({
    segments: list.segments.map(({ from, next, bytes, sha256 }) => {
      return { from, next, bytes, sha256, url: `?offset=${from}&end=${next}` }
    }),
  })
}
