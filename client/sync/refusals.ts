import type { ErrorData } from "../../shared/errors.ts"
import type { Host } from "../host.ts"
import { keysOf, type PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import type { LogWriter } from "./log-writer.ts"

/** Before what the disk did not take is written again. */
const RETRY_MS = 1_000

/** Takes out of what waits for the edge what it has refused, and sees to it that the disk has it as refused. */
export class Refusals {
  readonly #host: Pick<Host, "now" | "after">
  readonly #replica: Replica
  readonly #writer: LogWriter
  readonly #unsaved: (reason: unknown) => void
  #stopWaiting: () => void = () => {}
  #hasEnded = false

  constructor(
    host: Pick<Host, "now" | "after">,
    replica: Replica,
    writer: LogWriter,
    unsaved: (reason: unknown) => void,
  ) {
    this.#host = host
    this.#replica = replica
    this.#writer = writer
    this.#unsaved = unsaved
  }

  /** Those without a key are not on the disk: they will be refused when they are. */
  refuse(entries: readonly Pick<PendingEntry, "key">[], error: ErrorData): void {
    const stored = keysOf(entries)
    if (stored.length === 0) return
    this.#writer.rejected(this.#replica.reject(stored, error, this.#host.now()))
    this.#save()
  }

  /** No timer is left. */
  end(): void {
    this.#hasEnded = true
    this.#stopWaiting()
  }

  /** A stream that has stopped comes by no other write that would bring them to the disk. */
  #save(): void {
    this.#stopWaiting()
    this.#writer.flush().catch((reason: unknown) => {
      this.#unsaved(reason)
      if (!this.#hasEnded) this.#stopWaiting = this.#host.after(RETRY_MS, () => this.#save())
    })
  }
}
