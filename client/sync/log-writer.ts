import { joinBatches } from "../../shared/batch.ts"
import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { StoredPage } from "../disk/records.ts"
import type { RejectedEntry } from "../disk/rejections.ts"
import type { Term } from "../disk/terms.ts"
import type { Replica } from "../replica/replica.ts"

type Waiter = { resolve(): void; reject(reason: unknown): void }

/**
 * Brings the leader's knowledge of one stream to the disk. While one transaction runs, what is learnt and decided
 * gathers for the next, so a burst of small pages becomes one record and a confirmed batch shares a transaction with
 * the next one's number. A failed transaction is kept whole and written with what follows.
 */
export class LogWriter {
  readonly #log: DeviceLog
  readonly #term: Term
  readonly #replica: Replica
  readonly #rejectedOnDisk: (entries: readonly RejectedEntry[]) => void
  #pages: Page[] = []
  #confirmed: OutboxKey[] = []
  #rejected: RejectedEntry[] = []
  #strict = false
  #waiters: Waiter[] = []
  #writing = false
  /** Characters of pages that are not on disk, those included that are being written. */
  #unwritten = 0

  /** `rejectedOnDisk` hears of refused entries once they are where the app finds them. */
  constructor(
    log: DeviceLog,
    term: Term,
    replica: Replica,
    rejectedOnDisk: (entries: readonly RejectedEntry[]) => void,
  ) {
    this.#log = log
    this.#term = term
    this.#replica = replica
    this.#rejectedOnDisk = rejectedOnDisk
  }

  /** Whether so much waits for the disk that no more should be learnt before it is written. */
  get isFull(): boolean {
    return this.#unwritten > COMMON_LIMITS.unwrittenLengthMax
  }

  /** The replica has taken in a page. */
  took(page: Page, confirmed: readonly OutboxKey[]): void {
    this.#unwritten += page.text.length
    if (page.next !== page.from) this.#pages.push(page)
    this.#confirmed.push(...confirmed)
  }

  /** The edge has refused these for good. */
  rejected(entries: readonly RejectedEntry[]): void {
    this.#rejected.push(...entries)
  }

  /** The replica's batch in flight has a number that the disk does not know yet. */
  froze(): void {
    this.#strict = true
  }

  /**
   * Resolves when all that the writer was told so far is on disk. Rejects when it is not; then the next call tries
   * again.
   */
  flush(): Promise<void> {
    const flushed = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }))
    if (!this.#writing) {
      this.#writing = true
      queueMicrotask(() => void this.#write()) // the rest of this turn's news comes along
    }
    return flushed
  }

  /** Whether the log that was read, all of it, has passed a place. */
  async passed(place: Offset): Promise<boolean> {
    await this.flush() // the pages that it is told of are looked for on the disk
    return this.#log.passed(this.#replica.stream, place)
  }

  async #write(): Promise<void> {
    while (this.#waiters.length > 0) {
      const [pages, confirmed, rejected] = [this.#pages, this.#confirmed, this.#rejected]
      const [strict, waiters] = [this.#strict, this.#waiters]
      this.#forget()
      try {
        const page = joined(this.#replica.stream, pages)
        const change = { page, confirmed, rejected, record: this.#replica.record }
        await this.#log.save(this.#term, strict ? "strict" : "relaxed", change)
        for (const { text } of pages) this.#unwritten -= text.length
        if (rejected.length > 0) {
          this.#replica.rejections.saved(rejected)
          this.#rejectedOnDisk(rejected)
        }
        for (const waiter of waiters) waiter.resolve()
      } catch (reason) {
        this.#pages.unshift(...pages)
        this.#confirmed.unshift(...confirmed)
        this.#rejected.unshift(...rejected)
        this.#strict ||= strict
        for (const waiter of waiters) waiter.reject(reason)
      }
    }
    this.#writing = false
  }

  #forget(): void {
    this.#pages = []
    this.#confirmed = []
    this.#rejected = []
    this.#strict = false
    this.#waiters = []
  }
}

/** Pages that follow one another are one page. */
function joined(stream: StreamPath, pages: readonly Page[]): StoredPage | undefined {
  const [first] = pages
  const last = pages.at(-1)
  if (first === undefined || last === undefined) return undefined
  const text = joinBatches(pages.map((page) => page.text))
  return { stream, from: first.from, next: last.next, text }
}
