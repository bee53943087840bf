/*
 * A sum that tells whether texts are those that were stored. Four lanes of xor and multiply take the units in turn, so
 * that a processor works on them side by side: all that a disk holds of events is summed when it is written and read.
 * One unit that is another always makes another sum; it is no defence against somebody who wants texts to look alike.
 */

const LANES = 4

/** 32 hexadecimal digits, of all texts in their order. Nothing can move from one to the next unseen. */
export function textSum(texts: readonly string[]): string {
  let [a, b, c, d] = [1, 2, 3, 4]
  for (const text of texts) {
    a = Math.imul(a ^ text.length, 0x9e3779b1)
    const even = text.length - (text.length % LANES)
    for (let at = 0; at < even; at += LANES) {
      // Odd numbers without a pattern. Kept in constants they would be loaded and converted for every unit.
      a = Math.imul(a ^ text.charCodeAt(at), 0x9e3779b1)
      b = Math.imul(b ^ text.charCodeAt(at + 1), 0x5f356495)
      c = Math.imul(c ^ text.charCodeAt(at + 2), 0x85ebca6b)
      d = Math.imul(d ^ text.charCodeAt(at + 3), 0xc2b2ae35)
    }
    for (let at = even; at < text.length; at++) a = Math.imul(a ^ text.charCodeAt(at), 0x9e3779b1)
  }
  return [a, b, c, d].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("")
}
