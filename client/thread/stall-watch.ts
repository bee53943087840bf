import { LIMITS } from "../../shared/limits.ts"
import { FIRST_WATCH, isStalled, type Standing, type Watch, watch } from "../../shared/stall.ts"
import type { Host } from "./host.ts"

/** Looks after a connection for as long as it has something to bring to the edge. */
export class StallWatch {
  readonly #host: Pick<Host, "after">
  readonly #standing: () => Standing | undefined
  readonly #stalled: () => void
  #stopTimer: (() => void) | undefined

  /**
   * @param standing How the batch on its way stands; undefined when there is none.
   * @param stalled Called when there is no progress for too long; the watch has ended then.
   */
  constructor(host: Pick<Host, "after">, standing: () => Standing | undefined, stalled: () => void) {
    this.#host = host
    this.#standing = standing
    this.#stalled = stalled
  }

  /** There may be something on its way. */
  begin(): void {
    if (this.#stopTimer === undefined) this.#look(FIRST_WATCH)
  }

  end(): void {
    this.#stopTimer?.()
    this.#stopTimer = undefined
  }

  #look(before: Watch): void {
    this.#stopTimer = this.#host.after(LIMITS.stallLookMs, () => {
      this.#stopTimer = undefined
      const standing = this.#standing()
      if (standing === undefined) return
      const seen = watch(before, standing, LIMITS.stallLookMs)
      if (isStalled(seen)) this.#stalled()
      else this.#look(seen)
    })
  }
}
