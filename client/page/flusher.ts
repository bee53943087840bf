import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { type Settler, settler } from "./settler.ts"

/** What a flusher needs of its client. */
export type FlusherHost = {
  /** Resolves when everything that the disk had taken when it was called is flushed. */
  flush(): Promise<void>
  /** Runs once, not before `ms` have passed. Returns the way to stop it. */
  after(ms: number, run: () => void): () => void
}

/** Flushes what was written `relaxed`: once for all that comes within a while. */
export class Flusher {
  readonly #host: FlusherHost
  /** The flush that waits for more to come. */
  #next: Settler<void> | undefined
  #stopWaiting: () => void = () => {}
  #running: Promise<void> = Promise.resolve()

  constructor(host: FlusherHost) {
    this.#host = host
  }

  /** Resolves when all that the disk has taken by now is flushed. The same promise for all that share a flush. */
  flushed(): Promise<void> {
    if (this.#next === undefined) {
      this.#next = settler<void>()
      this.#stopWaiting = this.#host.after(COMMON_LIMITS.flushMsMax, () => void this.now())
    }
    return this.#next.promise
  }

  /** Waits for no more. Resolves when no flush is left to be done, whatever came of it. */
  now(): Promise<void> {
    const due = this.#next
    if (due === undefined) return this.#running
    this.#next = undefined
    this.#stopWaiting()
    this.#running = this.#host.flush().then(due.resolve, due.reject)
    return this.#running
  }
}
