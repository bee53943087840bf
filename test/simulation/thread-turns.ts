import type { Scheduler } from "./scheduler.ts"

/**
 * The event loop of one tab, as far as it can be stopped. What comes while it is frozen waits, and gets its turns in
 * the order in which it came when it thaws; the dead take none.
 */
export class ThreadTurns {
  readonly #scheduler: Scheduler
  readonly #name: string
  readonly #waiting: (() => void)[] = []
  #state: "running" | "frozen" | "waking" | "over" = "running"

  constructor(scheduler: Scheduler, name: string) {
    this.#scheduler = scheduler
    this.#name = name
  }

  get isRunning(): boolean {
    return this.#state === "running"
  }

  /** Does it now, or later when it is frozen, or never when it is over. */
  take(act: () => void): void {
    if (this.#state === "running") act()
    else if (this.#state !== "over") this.#waiting.push(act)
  }

  freeze(): void {
    if (this.#state !== "over") this.#state = "frozen"
  }

  thaw(): void {
    if (this.#state !== "frozen") return
    this.#state = "waking"
    this.#wakeFurther()
  }

  end(): void {
    this.#state = "over"
    this.#waiting.length = 0
  }

  #wakeFurther(): void {
    this.#scheduler.after(0, `${this.#name} wakes`, () => {
      if (this.#state !== "waking") return
      const act = this.#waiting.shift()
      if (act === undefined) {
        this.#state = "running"
        return
      }
      act()
      this.#wakeFurther()
    })
  }
}
