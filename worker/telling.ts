/** Somebody in another object who is told that there is something new, and asks what it is. */
export interface Listener {
  /** Whether whoever is asked still wants to be told. */
  news(from: string): Promise<boolean>
}

export type TellingParts = {
  /** What the news are of, as the listener calls it. */
  from(listener: string): string
  listener(name: string): Listener
  /** Somebody does not want to be told any more. */
  left(name: string): void
}

/**
 * Tells others that there is something new. Each is told once at a time: what comes while a call is under way is told
 * by one more call behind it, however much it is. Nobody waits for it, and a call that fails is not made again:
 * whoever listens looks by itself from time to time.
 */
export class Telling {
  readonly #parts: TellingParts
  /** Who is being told, and whether there is something new since. */
  readonly #underway = new Map<string, boolean>()

  constructor(parts: TellingParts) {
    this.#parts = parts
  }

  tell(names: Iterable<string>): void {
    for (const name of names) {
      const isUnderway = this.#underway.has(name)
      this.#underway.set(name, isUnderway)
      if (!isUnderway) void this.#tell(name)
    }
  }

  async #tell(name: string): Promise<void> {
    const { from, listener, left } = this.#parts
    let isLeft = false
    do {
      this.#underway.set(name, false)
      isLeft = await listener(name)
        .news(from(name))
        .then((isWanted) => !isWanted)
        .catch(() => false) // it cannot be reached now
    } while (!isLeft && this.#underway.get(name) === true)
    this.#underway.delete(name)
    if (isLeft) left(name)
  }
}
