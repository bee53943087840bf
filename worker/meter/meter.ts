import type { Millis } from "../../shared/ids.ts"
import { costOf, type Microdollars } from "../../shared/prices.ts"
import { utcDayOf } from "../../shared/utc-day.ts"
import { addCounts, type Counted, noCounts, readTally, type Tally, writeTally } from "./counts.ts"

/** Rows that a statement has read and written, once its rows were taken. */
export type RowCounter = { readonly rowsRead: number; readonly rowsWritten: number }

/**
 * Counts a stream's use, in memory. It is written down in the row of every append, so it costs no row of its own; what
 * is counted after the last append is lost when the object leaves memory.
 */
export class Meter {
  readonly awakeSince: Millis
  #day: number
  #total = noCounts()
  #today = noCounts()
  #isRestored = false
  /** The statement whose rows may still be read. */
  #open: RowCounter | undefined

  constructor(now: Millis) {
    this.awakeSince = now
    this.#day = utcDayOf(now)
    this.count("wakes", 1)
  }

  count(name: Counted, more: number): void {
    this.#total[name] += more
    this.#today[name] += more
  }

  /** So many appends have added so many messages. */
  appended(appends: number, messages: number): void {
    this.count("appends", appends)
    this.count("messages", messages)
  }

  /** A statement has begun, so the one before it has ended: rows are read before the next statement, or never. */
  statement<T extends RowCounter>(opened: T): T {
    this.#settle()
    this.#open = opened
    return opened
  }

  /** One more day may have begun. To be told before anything is counted that belongs to it. */
  passTo(now: Millis): void {
    const day = utcDayOf(now)
    if (day <= this.#day) return
    this.#settle()
    this.#day = day
    this.#today = noCounts()
  }

  /** Takes up what was written down before the object last left memory. Only the first time. */
  restore(text: string | undefined): void {
    if (this.#isRestored) return
    this.#isRestored = true
    const known = text === undefined ? undefined : readTally(text)
    if (known === undefined) return
    addCounts(this.#total, known.total)
    if (known.day === this.#day) addCounts(this.#today, known.today)
  }

  /** A stream begins, by one request: what was counted under its name before is not its own. */
  restart(): void {
    this.#settle()
    this.#isRestored = true
    this.#total = noCounts()
    this.#today = noCounts()
    this.count("wakes", 1)
    this.count("requests", 1)
  }

  get tally(): Tally {
    this.#settle()
    return { day: this.#day, total: { ...this.#total }, today: { ...this.#today } }
  }

  /** As it is written down. */
  get text(): string {
    return writeTally({ day: this.#day, total: this.#total, today: this.#today })
  }

  /** What this day's use has cost so far. */
  get costToday(): Microdollars {
    this.#settle()
    return costOf(this.#today)
  }

  #settle(): void {
    if (this.#open === undefined) return
    const { rowsRead, rowsWritten } = this.#open
    this.#open = undefined
    this.count("rowsRead", rowsRead)
    this.count("rowsWritten", rowsWritten)
  }
}
