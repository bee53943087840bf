import type { Reply } from "../../shared/append-reply.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { tooFast } from "../../shared/refusals.ts"
import { type Bucket, newBucket, takeToken } from "../../shared/token-bucket.ts"

export type AppendRateParts = {
  readonly bounds: Pick<Bounds, "appendsPerSecondMax" | "appendsBurstMax">
  now(): Millis
}

/**
 * How many appends a stream judges in a second. Kept in memory only: a rate is about now, and an object that has left
 * memory had nothing to do.
 */
export class AppendRate {
  readonly #parts: AppendRateParts
  #bucket: Bucket | undefined

  constructor(parts: AppendRateParts) {
    this.#parts = parts
  }

  /** Counts an append, and answers it when it is one too many. */
  refusal(): Reply | undefined {
    const { bounds, now } = this.#parts
    if (bounds.appendsPerSecondMax === 0) return undefined
    const rate = { perSecond: bounds.appendsPerSecondMax, burst: bounds.appendsBurstMax }
    const at = now()
    const taken = takeToken(this.#bucket ?? newBucket(rate, at), rate, at)
    this.#bucket = taken.bucket
    return taken.kind === "taken" ? undefined : tooFast(bounds.appendsPerSecondMax, taken.waitMs)
  }
}
