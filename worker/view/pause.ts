/** Lets those who wait go on when something has come, or when their time is over. */
export class Pause {
  readonly #waiting = new Set<() => void>()

  /** Whoever waits goes on. */
  end(): void {
    for (const resolve of [...this.#waiting]) resolve()
  }

  /** Resolves at `until`, or when somebody ends the pause. */
  until(until: number, now: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, Math.max(0, until - now))
      this.#waiting.add(done)
    })
  }
}
