import { NOW, readIssuedOffset, START } from "../../shared/offset.ts"
import type { StreamRecord } from "./stream-log.ts"

/** A place in a stream, or why an offset names none. */
export type Location =
  | { readonly kind: "place"; readonly position: number }
  /** The offset was given by another stream of this name, which was deleted. */
  | { readonly kind: "gone" }
  | { readonly kind: "malformed"; readonly reason: string }

/** Finds the place that an offset names in a stream as it stands now. */
export function locate(stream: Pick<StreamRecord, "generation" | "tail">, offset: string): Location {
  if (offset === START) return { kind: "place", position: 0 }
  if (offset === NOW) return { kind: "place", position: stream.tail }
  const issued = readIssuedOffset(offset)
  if (issued === undefined) {
    return malformed(`An offset is -1, now, or one that this edge has given; ${JSON.stringify(offset)} came.`)
  }
  if (issued.generation !== stream.generation) return { kind: "gone" }
  if (issued.position > stream.tail) return malformed("The offset lies beyond the end of the stream.")
  return { kind: "place", position: issued.position }
}

function malformed(reason: string): Location {
  return { kind: "malformed", reason }
}
