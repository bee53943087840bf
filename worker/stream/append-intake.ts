import type { Reply } from "../../shared/append-reply.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { AppendRate } from "../limits/append-rate.ts"
import type { Meter } from "../meter/meter.ts"
import { AppendQueue, type QueueParts } from "./append-queue.ts"
import type { AppendAsk } from "./append-turn.ts"
import { answer } from "./fan-out.ts"

export type IntakeParts = QueueParts & {
  readonly bounds: Pick<Bounds, "appendsPerSecondMax" | "appendsBurstMax">
  readonly meter: Meter
  now(): Millis
  /** Hears of appends that are refused for now. */
  refused(message: "budget reached" | "rate limited"): void
  /** Hears that the storage took nothing. */
  failed(error: unknown): void
}

/** Takes appends in, whatever carries them: no faster than the bound, through the queue, and none without an answer. */
export class AppendIntake {
  readonly #parts: IntakeParts
  readonly #rate: AppendRate
  readonly #queue: AppendQueue

  constructor(parts: IntakeParts) {
    this.#parts = parts
    this.#rate = new AppendRate(parts)
    this.#queue = new AppendQueue(parts)
  }

  /** Resolves with the reply, once it is true. Rejects when nothing was stored because the storage failed. */
  async append(ask: AppendAsk): Promise<Reply> {
    const hasty = this.#rate.refusal()
    if (hasty !== undefined) {
      answer({ ask, reply: hasty }, this.#parts.meter)
      this.#parts.refused("rate limited")
      return hasty
    }
    const reply = await this.#queue.append(ask)
    if (reply.status === 429) this.#parts.refused("budget reached")
    return reply
  }

  /** Appends what came through a socket, which hears of a failure too. */
  async appendFrame(ask: AppendAsk): Promise<void> {
    try {
      await this.append(ask)
    } catch (error) {
      this.#parts.failed(error)
      answer({ ask, reply: FAILED }, this.#parts.meter)
    }
  }
}

/** The storage did not take it. */
const FAILED: Reply = {
  status: 503,
  headers: { "retry-after": "1" },
  message: "The stream cannot store anything now; try again.",
}
