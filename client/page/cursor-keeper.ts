import type { Offset } from "../../shared/offset.ts"

/**
 * Writes down how far a consumer has got. One write is under way at a time, and the next one is of the latest place:
 * a fast consumer costs the disk no more than a slow one.
 */
export class CursorKeeper {
  readonly #write: (offset: Offset) => Promise<void>
  #latest: Offset | undefined
  #writing: Promise<void> | undefined
  #failure: { readonly reason: unknown } | undefined

  constructor(write: (offset: Offset) => Promise<void>) {
    this.#write = write
  }

  /** @throws what an earlier write failed with: the consumer learns of it at its next step. */
  reached(offset: Offset): void {
    if (this.#failure !== undefined) throw this.#failure.reason
    this.#latest = offset
    this.#writing ??= this.#run()
  }

  /** Resolves when the latest place is written. @throws as `reached`. */
  async flush(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  async #run(): Promise<void> {
    try {
      for (let offset = this.#latest; offset !== undefined; offset = this.#latest) {
        this.#latest = undefined
        await this.#write(offset)
      }
    } catch (reason) {
      this.#failure = { reason }
    }
    this.#writing = undefined
  }
}
