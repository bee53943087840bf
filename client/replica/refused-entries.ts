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
  /** Those that this tab has refused, and that the disk has not shown to be so. */
  readonly #unsaved = new Set<OutboxKey>()
  #events = 0

  get events(): number {
    return this.#events
  }

  /** Whether some are refused in the memory of this tab alone. */
  get hasUnsaved(): boolean {
    return this.#unsaved.size > 0
  }

  /** This tab refuses more. */
  add(entries: readonly RejectedEntry[]): void {
    for (const { key, count } of entries) {
      this.#events += count
      this.#unsaved.add(key)
    }
    this.#note(entries)
  }

  /** The disk has these as refused. */
  saved(entries: readonly Refusal[]): void {
    for (const { key } of entries) this.#unsaved.delete(key)
  }

  /** What this tab has refused and the disk did not take is not refused. */
  forgetUnsaved(): void {
    for (const key of this.#unsaved) this.#errors.delete(key)
    this.#unsaved.clear()
  }

  /** These are all that the disk has. */
  replace(entries: readonly RejectedEntry[]): void {
    this.#events = entries.reduce((sum, { count }) => sum + count, 0)
    this.saved(entries)
    this.#note(entries)
  }

  /** All of it is gone. */
  forget(): void {
    this.#errors.clear()
    this.#unsaved.clear()
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
