import type { Brand } from "./brand.ts"

/*
 * The chain of a log: one value for each place in it, worked out from every message before that place. Two logs have
 * the same value at the same position only if they hold the same messages up to there, so a log that was put back to
 * an older copy and has grown differently since is known by its first offset.
 *
 * Each message is followed by a separator and fed in unit by unit (UTF-16 of JSON text, bytes of anything else), so
 * where batches begin and end makes no difference. Two lanes of multiply-and-xor, 64 bits together: it tells honest
 * logs apart and is no defence against somebody who wants two to look alike. A cryptographic hash would be, and costs
 * ten times as much per append.
 */

/** 16 hexadecimal digits: the two lanes. */
export type Chain = Brand<string, "Chain">

/** The chain before the first message. */
export const EMPTY_CHAIN = "cbf29ce484222325" as Chain // any constant does; this is the one of FNV

const CHAIN = /^[0-9a-f]{16}$/
const LANES = [0x9e3779b1, 0x5f356495] as const // odd, and without a pattern
const COMMA = 0x2c
const END_OF_BYTES = 0x100 // no byte is this

export function readChain(text: string): Chain | undefined {
  return CHAIN.test(text) ? (text as Chain) : undefined // checked
}

/** The chain after more messages: the text of a batch, or the bytes of one message. Nothing changes nothing. */
export function extendChain(chain: Chain, data: string | Uint8Array): Chain {
  if (data.length === 0) return chain
  let one = Number.parseInt(chain.slice(0, 8), 16)
  let other = Number.parseInt(chain.slice(8), 16)
  const [a, b] = LANES
  const isText = typeof data === "string"
  for (let at = 0; at < data.length; at++) {
    const unit = isText ? data.charCodeAt(at) : (data[at] ?? 0)
    one = Math.imul(one ^ unit, a)
    other = Math.imul(other ^ unit ^ (one >>> 16), b)
  }
  const end = isText ? COMMA : END_OF_BYTES
  one = Math.imul(one ^ end, a)
  other = Math.imul(other ^ end ^ (one >>> 16), b)
  return (hex(one) + hex(other)) as Chain // 16 digits by construction
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, "0")
}
