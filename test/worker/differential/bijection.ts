/**
 * What stands for what in two streams that were treated alike. Offsets are opaque and differ, so all that can be asked
 * of them is that each of one stream has exactly one counterpart in the other, and that their order is the same.
 */
export class Bijection {
  readonly #there = new Map<string, string>()
  readonly #back = new Map<string, string>()

  /** Notes that both came in the same place. @throws when either has another counterpart already. */
  pair(one: string, other: string): void {
    const [known, knownBack] = [this.#there.get(one) ?? other, this.#back.get(other) ?? one]
    if (known !== other || knownBack !== one) {
      throw new Error(`${one} came with ${other}, after ${one} with ${known} and ${knownBack} with ${other}`)
    }
    this.#there.set(one, other)
    this.#back.set(other, one)
  }

  /** A text of the first stream as the second would have written it. */
  translate(text: string): string {
    let translated = text
    for (const [one, other] of this.#there) translated = translated.replaceAll(one, other)
    return translated
  }

  /** The pairs in the order of the first stream, whichever way it is written. @throws when the second has another. */
  inOrder(): readonly (readonly [one: string, other: string])[] {
    const pairs = [...this.#there].sort(([a], [b]) => (a < b ? -1 : 1))
    const others = pairs.map(([, other]) => other)
    if (others.join() !== [...others].sort().join())
      throw new Error(`offsets are in two orders: ${pairs.join(" ")}`)
    return pairs
  }
}
