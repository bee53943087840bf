import { bad, type Decoded, good, isRecord } from "../../shared/decoded.ts"
import { type Offset, readIssuedOffset, START } from "../../shared/offset.ts"
import type { Feed } from "./feeds.ts"

/** How far a view has folded, stream by stream. */
export type Cursor = { readonly [stream: string]: Offset }

/**
 * The place in each stream up to which every source of it that goes on has folded it. Where all of them stand still,
 * the place where the first one does.
 */
export function cursorOf(feeds: readonly Feed[]): Cursor {
  const cursor = new Map<string, { readonly offset: Offset; readonly isMoving: boolean }>()
  for (const { stream, offset, halt } of feeds) {
    const known = cursor.get(stream)
    const isMoving = halt === undefined
    const isBetter = known === undefined || (isMoving && !known.isMoving)
    const isLess =
      known !== undefined && isMoving === known.isMoving && positionOf(offset) < positionOf(known.offset)
    if (isBetter || isLess) cursor.set(stream, { offset, isMoving })
  }
  return Object.fromEntries([...cursor].map(([stream, { offset }]) => [stream, offset]))
}

/** Whether a view has folded all streams at least so far, or later logs of the same path. */
export function hasReached(cursor: Cursor, least: Cursor): boolean {
  return Object.entries(least).every(([stream, offset]) => {
    const folded = Object.hasOwn(cursor, stream) ? cursor[stream] : undefined
    if (folded === undefined) return false
    if (offset === START) return true
    const [is, wanted] = [readIssuedOffset(folded), readIssuedOffset(offset)]
    if (is === undefined || wanted === undefined) return false
    const isSameLog = is.position > wanted.position || is.chain === wanted.chain
    return is.position >= wanted.position && is.generation >= wanted.generation && isSameLog
  })
}

/** Reads the offsets that a query wants to be folded. */
export function decodeLeast(value: unknown): Decoded<Cursor> {
  if (value === undefined) return good({})
  if (!isRecord(value)) return bad(`"min_offset" is {"stream": "offset"}; it is not.`)
  for (const [stream, offset] of Object.entries(value)) {
    const isOffset =
      typeof offset === "string" && (offset === START || readIssuedOffset(offset) !== undefined)
    if (!isOffset) return bad(`The offset of ${stream} in "min_offset" is none that this edge has given.`)
  }
  return good(value as Cursor) // each of its values was looked at
}

function positionOf(offset: Offset): number {
  return readIssuedOffset(offset)?.position ?? 0
}
