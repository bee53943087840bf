/** Chance that repeats itself: the same seed and name give the same draws. Small fast counter, 32 bits. */
export class Random {
  #a = 0
  #b = 0
  #c = 0
  #counter = 1

  /** @param name Each concern draws from a generator of its own, so that one draw more here moves nothing there. */
  constructor(seed: number, name: string) {
    const text = `${seed}:${name}`
    for (let at = 0; at < text.length; at++) {
      this.#a = Math.imul(this.#a ^ text.charCodeAt(at), 0x9e3779b1)
      this.#b = Math.imul(this.#b + this.#a, 0x85ebca6b) ^ (this.#a >>> 15)
      this.#c ^= this.#a + this.#b
    }
    for (let round = 0; round < 12; round++) this.next()
  }

  /** In [0, 1). */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }

  /** Whether something happens that happens with probability `p`. */
  chance(p: number): boolean {
    return this.next() < p
  }

  /** A whole number from `from` to `to`, both included. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.whole(0, list.length - 1)]
    if (found === undefined) throw new Error("There is nothing to pick from.")
    return found
  }

  /** One of the names, each as likely as its weight says. */
  weighted<Name extends string>(weights: Readonly<Record<Name, number>>): Name {
    const entries = Object.entries(weights) as [Name, number][]
    let left = this.next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return this.pick(entries)[0]
  }

  /** Milliseconds with a long tail: mostly around `median`, one in a hundred about ten times that. */
  delay(median: number): number {
    const normal = this.next() + this.next() + this.next() + this.next() - 2 // variance 1/3
    return median * Math.exp(normal * 1.6)
  }

  /** Milliseconds until something that comes every `mean` milliseconds on average. */
  wait(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }
}
