import type { Reply } from "../../shared/append-reply.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { AppendAsk } from "./append-turn.ts"

type Waiting = {
  readonly ask: AppendAsk
  readonly resolve: (reply: Reply) => void
  readonly reject: (reason: unknown) => void
}

export type QueueParts = {
  readonly bounds: Pick<Bounds, "turnBytesMax">
  /** Judges, stores and answers appends that came together. */
  appendAll(asks: readonly AppendAsk[]): readonly Reply[]
  /** Resolves when everything written so far is on disk. */
  flushed(): Promise<void>
}

/**
 * Group commit: an append that comes while nothing is on its way to the disk is stored at once; what comes while the
 * disk is busy is stored together when it is done. So a lone append waits for nobody, and many at a time share a
 * transaction, a row and a frame.
 */
export class AppendQueue {
  readonly #parts: QueueParts
  #waiting: Waiting[] = []
  #isBusy = false

  constructor(parts: QueueParts) {
    this.#parts = parts
  }

  /** Resolves with the reply, once it is true. Rejects when nothing was stored because the storage failed. */
  append(ask: AppendAsk): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ask, resolve, reject })
      if (!this.#isBusy) this.#store()
    })
  }

  /** Those who are stored together: not more than memory holds a few times over, one at least. */
  #next(): Waiting[] {
    let [count, bytes] = [0, 0]
    for (const { ask } of this.#waiting) {
      bytes += ask.body.bytes
      if (count > 0 && bytes > this.#parts.bounds.turnBytesMax) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  #store(): void {
    const group = this.#next()
    try {
      const replies = this.#parts.appendAll(group.map(({ ask }) => ask))
      for (const [at, reply] of replies.entries()) group[at]?.resolve(reply)
    } catch (reason) {
      for (const { reject } of group) reject(reason)
    }
    this.#isBusy = true
    const free = () => {
      this.#isBusy = false
      if (this.#waiting.length > 0) this.#store()
    }
    this.#parts.flushed().then(free, free) // a write that failed has reset the object, with all who wait
  }
}
