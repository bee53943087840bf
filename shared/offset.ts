import { assert } from "./assert.ts"
import type { Brand } from "./brand.ts"
import { type Chain, readChain } from "./chain.ts"
import { COMMON_LIMITS } from "./common-limits.ts"

/** A position in one stream, issued by the edge. Keep it, compare it, send it back; never build one. */
export type Offset = Brand<string, "Offset">

/** Before the first message of any stream. */
export const START = "-1" as Offset // the protocol's sentinel, section 8

/** After the last message that exists when the edge reads the request. Only ever sent, never stored. */
export const NOW = "now" as Offset // the protocol's sentinel, section 8

/** The start in the spelling of the protocol's reference server, by which its clients name it when they fork. */
export const REFERENCE_START = "0000000000000000_0000000000000000"

/** The protocol's grammar of an offset, section 8. What the characters mean is the issuing edge's affair. */
const OFFSET = /^[^\s,&=?/]{1,255}$/

/** The only door through which a client accepts an offset. */
export function parseOffset(text: string): Offset | undefined {
  return OFFSET.test(text) ? (text as Offset) : undefined
}

/** Offsets of one stream sort as strings; START is before them all, whatever its characters say. */
export function isAfter(later: Offset, earlier: Offset): boolean {
  return later !== START && (earlier === START || later > earlier)
}

/*
 * How our edge writes offsets: `<generation>_<position>_<chain>`, all of fixed width, so that text order is log order.
 *
 *   generation   9 characters of base 36: when the stream was created. A stream that is deleted and created again
 *                gets a greater one, so an offset of the old stream never means a place in the new one.
 *   position     16 decimal digits: how many messages come before this place.
 *   chain        16 hexadecimal digits: the chain of those messages. A log that no longer holds them, because its
 *                edge was put back to an older copy, knows the offset for what it is.
 */
const GENERATION_WIDTH = 9
const POSITION_WIDTH = 16
const ISSUED = /^([0-9a-z]{9})_([0-9]{16})_([0-9a-f]{16})$/

/** A place in a log: how many messages come before it, and their chain. */
export type Place = { readonly position: number; readonly chain: Chain }

export type IssuedOffset = Place & { readonly generation: number }

/** Writes the offset of a place in a stream of this generation. For the edge, and for places between two of its own. */
export function issueOffset({ generation, position, chain }: IssuedOffset): Offset {
  assert(Number.isSafeInteger(generation) && generation >= 0, `generation ${generation} is a count`)
  assert(position >= 0 && position <= COMMON_LIMITS.positionMax, `position ${position} is in range`)
  const when = generation.toString(36).padStart(GENERATION_WIDTH, "0")
  const digits = String(position).padStart(POSITION_WIDTH, "0")
  return `${when}_${digits}_${chain}` as Offset // of the grammar by construction
}

/** Reads what `issueOffset` wrote. Undefined when our edge cannot have issued the text. */
export function readIssuedOffset(text: string): IssuedOffset | undefined {
  const [, when, digits, tail] = ISSUED.exec(text) ?? []
  const chain = readChain(tail ?? "")
  if (when === undefined || digits === undefined || chain === undefined) return undefined
  const position = Number(digits)
  if (position > COMMON_LIMITS.positionMax) return undefined
  return { generation: Number.parseInt(when, 36), position, chain }
}

/** How many messages lie between two offsets of one log, as far as they say. */
export function eventsBetween(from: Offset, to: Offset): number | undefined {
  const [begin, end] = [positionOf(from), positionOf(to)]
  return begin === undefined || end === undefined ? undefined : Math.max(0, end - begin)
}

function positionOf(offset: Offset): number | undefined {
  return offset === START ? 0 : readIssuedOffset(offset)?.position
}
