import type { Millis } from "../../shared/ids.ts"
import { type Facts, log } from "../log.ts"

/** Says what may be so thousands of times a second once in an interval. */
export class RareLog {
  readonly #msInterval: number
  readonly #saidAt = new Map<string, Millis>()

  constructor(msInterval: number) {
    this.#msInterval = msInterval
  }

  /** `message` is one of few. */
  say(message: string, facts: Facts, now: Millis): void {
    const last = this.#saidAt.get(message)
    if (last !== undefined && now - last < this.#msInterval) return
    this.#saidAt.set(message, now)
    log(message, facts)
  }
}
