/*
 * A sum that tells whether bytes are those that were stored; `shared/text-sum.ts` does the same of texts, and says why
 * it has lanes. Four bytes at a time: a snapshot has some megabytes, and is summed before anybody sees a row.
 */

/** 32 hexadecimal digits. One byte that is another always makes another sum. */
export function bytesSum(bytes: Uint8Array<ArrayBuffer>): string {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  const whole = aligned.length >>> 2
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, whole)
  let [a, b, c, d] = [bytes.length, 2, 3, 4]
  const even = whole - (whole % 4)
  for (let at = 0; at < even; at += 4) {
    a = Math.imul(a ^ (words[at] ?? 0), 0x9e3779b1)
    b = Math.imul(b ^ (words[at + 1] ?? 0), 0x5f356495)
    c = Math.imul(c ^ (words[at + 2] ?? 0), 0x85ebca6b)
    d = Math.imul(d ^ (words[at + 3] ?? 0), 0xc2b2ae35)
  }
  for (let at = even * 4; at < aligned.length; at++) a = Math.imul(a ^ (aligned[at] ?? 0), 0x9e3779b1)
  return [a, b, c, d].map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("")
}
