/*
 * Bodies of pages, in bytes. A page of a JSON stream is one array: a bracket, batches with commas between, a bracket.
 */

const OPENING = Uint8Array.of(0x5b)
const COMMA = Uint8Array.of(0x2c)
const CLOSING = Uint8Array.of(0x5d)

/** The array of batches in UTF-8. Only a batch that stands alone may be empty. */
export function arrayOf(batches: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const separated = batches.flatMap((batch, at) => (at === 0 ? [batch] : [COMMA, batch]))
  return joinBytes([OPENING, ...separated, CLOSING])
}

/** The array of one batch's text. */
export function arrayOfText(batch: string): Uint8Array<ArrayBuffer> {
  return arrayOf([new TextEncoder().encode(batch)])
}

/** One array of several, none of which is empty. */
export function joinArrays(arrays: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return arrayOf(arrays.map((array) => array.subarray(1, -1)))
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    joined.set(part, at)
    at += part.length
  }
  return joined
}
