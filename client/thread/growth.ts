import type { StreamPath } from "../../shared/ids.ts"

/** Says when the disk may have more of a stream's log. Nobody is told of what came before it was asked. */
export class Growth {
  readonly #counts = new Map<StreamPath, number>()
  readonly #waiting = new Map<StreamPath, Set<() => void>>()

  /** To be asked before the disk is looked at, and then be given to `past`. */
  count(stream: StreamPath): number {
    return this.#counts.get(stream) ?? 0
  }

  grown(stream: StreamPath): void {
    this.#counts.set(stream, this.count(stream) + 1)
    for (const wake of [...(this.#waiting.get(stream) ?? [])]) wake()
  }

  /** Resolves when the count is another, or the signal is aborted. */
  past(stream: StreamPath, count: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.count(stream) !== count) return resolve()
      const waiting = this.#waiting.get(stream) ?? new Set()
      this.#waiting.set(stream, waiting)
      const wake = () => {
        waiting.delete(wake)
        signal.removeEventListener("abort", wake)
        resolve()
      }
      waiting.add(wake)
      signal.addEventListener("abort", wake)
    })
  }
}
