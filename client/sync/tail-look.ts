import { isAfter, type Offset } from "../../shared/offset.ts"
import type { EdgeStream } from "./edge.ts"

/** Where the edge's log ends, as far as the edge has said: for a status, so nothing waits for it. */
export class TailLook {
  readonly #edge: EdgeStream
  readonly #changed: () => void
  #tail: Offset | undefined
  #looking: AbortController | undefined

  constructor(edge: EdgeStream, changed: () => void) {
    this.#edge = edge
    this.#changed = changed
  }

  /** The tail for somebody who has read up to `head`, which it is not before. */
  behind(head: Offset): Offset | undefined {
    return this.#tail === undefined || isAfter(this.#tail, head) ? this.#tail : head
  }

  /** A page has ended there. */
  reached(tail: Offset): void {
    this.#tail = tail
  }

  /** Asks the edge, once and beside the pages that are being read. */
  look(): void {
    if (this.#tail !== undefined || this.#looking !== undefined) return
    this.#looking = new AbortController()
    void this.#edge.tail(this.#looking.signal).then((answer) => {
      if (answer.kind !== "done") return // the next page finds out what is wrong
      this.#tail = answer.value
      this.#changed()
    })
  }

  /** No request is left. */
  end(): void {
    this.#looking?.abort()
    this.#looking = undefined
  }
}
