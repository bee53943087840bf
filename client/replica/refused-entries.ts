import type { ErrorData } from "../../shared/errors.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { Refusal, RejectedEntry } from "../disk/rejections.ts"
import type { PendingEntry } from "./pending-entry.ts"

/**
 * What a replica knows of refused entries: how many events wait for the app to deal with them, and which keys are not
 * pending, whatever a look at the disk shows that began before.
 */
export class RefusedEntries {
  readonly #errors = new Map<OutboxKey, ErrorData>()
  #events = 0

  get events(): number {
    return this.#events
  }

  /** More are refused. */
  add(entries: readonly RejectedEntry[]): void {
    for (const { count } of entries) this.#events += count
    this.#note(entries)
  }

  /** These are all that the disk has. */
  replace(entries: readonly RejectedEntry[]): void {
    this.#events = entries.reduce((sum, { count }) => sum + count, 0)
    this.#note(entries)
  }

  /** All of it is gone. */
  forget(): void {
    this.#errors.clear()
    this.#events = 0
  }

  has({ key }: Pick<PendingEntry, "key">): boolean {
    return key !== undefined && this.#errors.has(key)
  }

  among(keys: readonly OutboxKey[]): Refusal[] {
    return keys.flatMap((key) => {
      const error = this.#errors.get(key)
      return error === undefined ? [] : [{ key, error }]
    })
  }

  #note(entries: readonly Refusal[]): void {
    for (const { key, error } of entries) this.#errors.set(key, error)
  }
}
