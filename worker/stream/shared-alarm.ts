import type { Millis } from "../../shared/ids.ts"

/** The platform sets alarms up to the year 2189. */
const ALARM_AT_MAX = Date.UTC(2188, 0, 1)

/** The time for which an alarm can be set that is wanted at `at`. */
export function alarmTime(at: Millis, now: Millis): Millis {
  return Math.min(Math.max(at, now), ALARM_AT_MAX) as Millis // one of three times
}

/** Somebody who asks to be woken. Woken too early, it finds nothing due and asks again. */
export type Sleeper = () => void

/**
 * The one alarm that a Durable Object has, for all who need one: it is set to the earliest time that anybody has
 * asked for, and wakes everybody. So nothing has to be stored of who asked for what, and each sleeper works out its
 * next time from its own facts. It is set again only for an earlier time, since each setting costs a row.
 */
export class SharedAlarm {
  readonly #set: (at: Millis) => void
  readonly #sleepers: Sleeper[] = []
  #setTo: Millis | undefined

  constructor(set: (at: Millis) => void) {
    this.#set = set
  }

  /** Takes up what an earlier life of the object has set. Before anybody asks for anything. */
  restore(setTo: Millis | undefined): void {
    this.#setTo = setTo
  }

  /** Is woken with all others. */
  join(sleeper: Sleeper): void {
    this.#sleepers.push(sleeper)
  }

  /** Wakes everybody at that time or sooner. */
  wakeAt(at: Millis): void {
    if (this.#setTo !== undefined && this.#setTo <= at) return
    this.#setTo = at
    this.#set(at)
  }

  /** Wakes everybody at that time, and not sooner: for whoever knows that nobody asks for more. */
  restUntil(at: Millis): void {
    if (this.#setTo === at) return
    this.#setTo = at
    this.#set(at)
  }

  /** The alarm has rung. */
  ring(): void {
    this.#setTo = undefined
    for (const sleeper of this.#sleepers) sleeper()
  }
}
