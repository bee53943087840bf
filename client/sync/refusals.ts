import type { ErrorData } from "../../shared/errors.ts"
import type { Host } from "../host.ts"
import { keysOf, type PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import type { LogWriter } from "./log-writer.ts"

/** Before what the disk did not take is written again. */
const RETRY_MS = 1_000

export interface RefusalsListener {
  /** The disk has all that there is of the stream. */
  saved(): void
  unsaved(reason: unknown): void
}

/** Takes out of what waits for the edge what it has refused, and sees to it that the disk has it as refused. */
export class Refusals {
  readonly #host: Pick<Host, "now" | "after">
  readonly #replica: Replica
  readonly #writer: LogWriter
  readonly #listener: RefusalsListener
  #stopWaiting: () => void = () => {}
  #hasEnded = false

  constructor(
    host: Pick<Host, "now" | "after">,
    replica: Replica,
    writer: LogWriter,
    listener: RefusalsListener,
  ) {
    this.#host = host
    this.#replica = replica
    this.#writer = writer
    this.#listener = listener
  }

  /** Those without a key are not on the disk: they will be refused when they are. */
  refuse(entries: readonly Pick<PendingEntry, "key">[], error: ErrorData): void {
    const stored = keysOf(entries)
    if (stored.length === 0) return
    this.#writer.rejected(this.#replica.reject(stored, error, this.#host.now()))
    this.save()
  }

  /** No timer is left. */
  end(): void {
    this.#hasEnded = true
    this.#stopWaiting()
  }

  /**
   * Brings to the disk whatever it does not have, and tries until it does: a stream that has stopped comes by no other
   * write that would, of its last page neither.
   */
  save(): void {
    this.#stopWaiting()
    this.#writer.flush().then(
      () => this.#listener.saved(),
      (reason: unknown) => {
        this.#listener.unsaved(reason)
        if (!this.#hasEnded) this.#stopWaiting = this.#host.after(RETRY_MS, () => this.save())
      },
    )
  }
}
