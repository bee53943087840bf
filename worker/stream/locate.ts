import { NOW, type Offset, type Place, readIssuedOffset, START } from "../../shared/offset.ts"
import type { SegmentIndex } from "../segments/segment-index.ts"
import { chainAt } from "./log-pages.ts"
import type { StreamHost } from "./stream-host.ts"
import { generationAt, offsetOf, START_PLACE, type StreamRecord } from "./stream-record.ts"

/** Why an offset names no place in a stream. */
export type LocateFault =
  /** The offset is of another log: that of a stream of this name that was deleted, or one that forked off. */
  | { readonly kind: "gone" }
  /** The stream gave the offset and does not hold what was before it: it was put back to an older copy. */
  | { readonly kind: "lost" }
  /** What lies there is kept no longer. The stream can be read from `earliest` on. */
  | { readonly kind: "trimmed"; readonly earliest: Offset }
  | { readonly kind: "malformed"; readonly reason: string }

export type Location =
  | { readonly kind: "place"; readonly place: Place }
  /** The place is in an ancestor of the fork, which alone can tell its chain. */
  | { readonly kind: "inherited"; readonly place: Place }
  | LocateFault

/** Finds the place that an offset names in a stream as it stands now. */
export function locate(
  storage: Pick<StreamHost, "exec">,
  segments: SegmentIndex,
  stream: StreamRecord,
  offset: string,
): Location {
  if (offset === NOW) return { kind: "place", place: stream.tail }
  if (offset === START) return retained(stream, START_PLACE)
  const issued = readIssuedOffset(offset)
  if (issued === undefined) {
    const reason = `An offset is -1, now, or one that this edge has given; ${JSON.stringify(offset)} came.`
    return { kind: "malformed", reason }
  }
  const { generation, ...place } = issued
  if (generation !== generationAt(stream, place.position)) return { kind: "gone" }
  if (place.position > stream.tail.position) return { kind: "lost" }
  const found = retained(stream, place)
  if (found.kind !== "place") return found
  const chain = chainAt(storage, segments, stream, place.position)
  return chain === undefined || chain === place.chain ? found : { kind: "lost" } // a segment is asked when it is read
}

function retained(stream: StreamRecord, place: Place): Location {
  const { earliest, base } = stream
  if (place.position < earliest.position) return { kind: "trimmed", earliest: offsetOf(stream, earliest) }
  return { kind: place.position < base.position ? "inherited" : "place", place }
}
