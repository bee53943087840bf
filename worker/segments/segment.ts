import { assert } from "../../shared/assert.ts"
import { splitBatch } from "../../shared/batch.ts"
import { type Chain, extendChain } from "../../shared/chain.ts"
import { isJsonType } from "../../shared/http.ts"
import type { Place } from "../../shared/offset.ts"
import { arrayOfText } from "../page-body.ts"

/*
 * A sealed segment: whole batches of a stream that have left its object, as one object of R2.
 *
 *   object = body index
 *
 * The body is what a GET answers for the segment: a JSON array, or the bytes of all messages. In a JSON stream there
 * is no index. In any other the index tells where messages end, which their bytes do not: the length of each, four
 * bytes, least first.
 */

/** What the stream's object knows of a segment, and tells whoever is to read it. */
export type Segment = {
  readonly key: string
  readonly from: Place
  readonly next: Place
  /** Bytes of the body. */
  readonly bytes: number
  /** SHA-256 of the whole object in hexadecimal digits. */
  readonly sha256: string
}

/** The object that is stored for a body. `lengths` are those of the messages of a stream that is not JSON. */
export function encodeSegment(body: Uint8Array, lengths: readonly number[]): Uint8Array<ArrayBuffer> {
  const object = new Uint8Array(body.length + 4 * lengths.length)
  object.set(body)
  const index = new DataView(object.buffer, body.length)
  for (const [at, length] of lengths.entries()) index.setUint32(4 * at, length, true)
  return object
}

/** What a place is asked of in a segment. */
export type SegmentPart = {
  readonly segment: Segment
  readonly contentType: string
  readonly place: Place
  /** Not to be gone beyond; may lie behind the segment. */
  readonly until: number
  /** How many bytes are enough, in a stream of bytes: one message is always read. Of text all is read. */
  readonly bytesMax: number
}

export type SegmentPage = { readonly next: Place; readonly body: Uint8Array<ArrayBuffer> }

/**
 * Reads from a place in a segment on. Undefined when the segment does not lead to that place: its chain is another
 * there.
 */
export function readSegment(object: Uint8Array<ArrayBuffer>, part: SegmentPart): SegmentPage | undefined {
  const { segment, place, until } = part
  const body = object.subarray(0, segment.bytes)
  const isJson = isJsonType(part.contentType)
  const isWhole = place.position === segment.from.position && until >= segment.next.position
  if (isWhole && (isJson || body.length <= part.bytesMax))
    return place.chain === segment.from.chain ? { next: segment.next, body } : undefined
  return isJson ? readText(body, part) : readBytes(object, part)
}

function readText(body: Uint8Array, { segment, place, until }: SegmentPart): SegmentPage | undefined {
  const batch = new TextDecoder().decode(body).slice(1, -1)
  const [before, rest] = splitBatch(batch, place.position - segment.from.position)
  if (extendChain(segment.from.chain, before) !== place.chain) return undefined
  const reachesEnd = until >= segment.next.position
  const text = reachesEnd ? rest : splitBatch(rest, until - place.position)[0]
  const next = reachesEnd ? segment.next : { position: until, chain: extendChain(place.chain, text) }
  return { next, body: arrayOfText(text) }
}

function readBytes(
  object: Uint8Array<ArrayBuffer>,
  { segment, place, until, bytesMax }: SegmentPart,
): SegmentPage | undefined {
  const { from, next, bytes } = segment
  const index = new DataView(object.buffer, object.byteOffset + bytes)
  const end = Math.min(until, next.position)
  let [at, start, position] = [0, 0, from.position]
  let chain: Chain = from.chain
  for (; position < end; position++) {
    if (position === place.position) {
      if (chain !== place.chain) return undefined
      start = at
    }
    const length = index.getUint32(4 * (position - from.position), true)
    if (position > place.position && at + length - start > bytesMax) break
    chain = extendChain(chain, object.subarray(at, at + length))
    at += length
  }
  assert(at <= bytes, "a segment's index does not reach out of its body")
  return { next: { position, chain }, body: object.subarray(start, at) }
}
