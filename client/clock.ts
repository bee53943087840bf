import type { Millis } from "../shared/ids.ts"

/** Time, for whoever waits. */
export interface Clock {
  now(): Millis
  /** Runs once, not before `ms` have passed. Returns the way to stop it. */
  after(ms: number, run: () => void): () => void
}

/** The time of pages and threads alike. */
export const browserClock: Clock = {
  now: () => Date.now() as Millis, // what Date.now counts is what Millis means
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
