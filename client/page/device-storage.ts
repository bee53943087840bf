import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import type { Clock } from "../clock.ts"
import type { StorageHealth } from "../disk/storage-health.ts"
import type { StorageStatus } from "../status.ts"

/** The part of `navigator.storage` that is used; browsers without it are of the worst kind. */
export type StorageDesk = Partial<Pick<StorageManager, "estimate" | "persist" | "persisted">>

/**
 * Watches the storage of this browser while somebody wants to know, at the pace of a status. It asks the browser to
 * keep it when that first matters: when an event waits for the edge. Not earlier, since some browsers ask their user.
 */
export class DeviceStorage {
  readonly #clock: Clock
  readonly #desk: StorageDesk
  readonly #listeners = new Set<(status: StorageStatus) => void>()
  readonly #stopHearing: () => void
  #status: StorageStatus
  #hasAsked = false
  /** Ends the time in which nobody looks again; what came in that time is looked at then. */
  #stopTimer: (() => void) | undefined
  #isStale = true

  /** @param health Of the disk; undefined when there is none. */
  constructor(health: StorageHealth | undefined, clock: Clock, desk: StorageDesk) {
    this.#clock = clock
    this.#desk = desk
    const level = health === undefined ? "memory" : "best-effort"
    this.#status = { level, state: "open", usageBytes: undefined, quotaBytes: undefined }
    this.#stopHearing = health?.onChange(({ kind }) => this.#tell({ state: kind })) ?? (() => {})
  }

  get status(): StorageStatus {
    return this.#status
  }

  /** Calls with each change. Returns the way to stop. */
  onChange(listener: (status: StorageStatus) => void): () => void {
    this.#listeners.add(listener)
    this.#look()
    return () => void this.#listeners.delete(listener)
  }

  /** An event waits for the edge. */
  appended(): void {
    this.#isStale = true
    this.#look()
    if (this.#hasAsked || this.#status.level === "memory") return
    this.#hasAsked = true
    void this.#ask(async () => this.#desk.persist?.()).then((isKept) => this.#keeps(isKept))
  }

  /** Nothing is told any more. */
  close(): void {
    this.#listeners.clear()
    this.#stopHearing()
    this.#stopTimer?.()
    this.#stopTimer = () => {} // as if a timer ran: no other is started
  }

  #look(): void {
    if (this.#stopTimer !== undefined || !this.#isStale || this.#listeners.size === 0) return
    this.#isStale = false
    this.#stopTimer = this.#clock.after(COMMON_LIMITS.estimateMsInterval, () => {
      this.#stopTimer = undefined
      this.#look()
    })
    void this.#ask(async () => this.#desk.persisted?.()).then((isKept) => this.#keeps(isKept))
    void this.#ask(async () => this.#desk.estimate?.()).then((estimate) => {
      this.#tell({ usageBytes: estimate?.usage, quotaBytes: estimate?.quota })
    })
  }

  #keeps(isKept: boolean | undefined): void {
    if (isKept && this.#status.level === "best-effort") this.#tell({ level: "persistent" })
  }

  #tell(news: Partial<StorageStatus>): void {
    this.#status = { ...this.#status, ...news }
    for (const listener of this.#listeners) listener(this.#status)
  }

  /** What the browser does not say is not known, and nothing depends on it. */
  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await question()
    } catch {
      return undefined
    }
  }
}
