import type { ErrorData } from "../../shared/errors.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { Host } from "./host.ts"
import type { LogWriter } from "./log-writer.ts"
import type { Replica } from "./replica.ts"

/** Before what a full disk did not take is written again. */
const SAVE_RETRY_MS = 1_000

export type SetAsideParts = {
  readonly host: Pick<Host, "now" | "after">
  readonly replica: Replica
  readonly writer: LogWriter
}

/** Sets aside what the edge refuses for good: it waits no more, and the disk is told. */
export class SetAside {
  readonly #parts: SetAsideParts
  readonly #failed: (reason: unknown) => boolean
  #stopTimer: () => void = () => {}

  /** @param failed The disk does not take it. Answers whether no other write will come by that takes it along. */
  constructor(parts: SetAsideParts, failed: (reason: unknown) => boolean) {
    this.#parts = parts
    this.#failed = failed
  }

  reject(keys: readonly OutboxKey[], error: ErrorData): void {
    if (keys.length === 0) return
    const { host, replica, writer } = this.#parts
    writer.rejected(replica.reject(keys, error, host.now()))
    this.#save()
  }

  /** What is not written by now is left to others. */
  end(): void {
    this.#stopTimer()
  }

  #save(): void {
    const { host, writer } = this.#parts
    writer.flush().catch((reason: unknown) => {
      if (!this.#failed(reason)) return
      this.#stopTimer()
      this.#stopTimer = host.after(SAVE_RETRY_MS, () => this.#save())
    })
  }
}
