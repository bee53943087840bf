import { COMMON_LIMITS } from "../../shared/common-limits.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { Host } from "../host.ts"

/** Before a tab stands again whose turn has ended: the others come first. */
const PAUSE_MS = 1_000

export interface Election {
  /** Leads until `over` is aborted, or as long as it likes. Rejects with HeadwaterError for want of a disk. */
  lead(over: AbortSignal): Promise<void>
  failed(reason: HeadwaterError): void
  /** Says to the others that this tab leads and lives. */
  beat(): void
}

/**
 * One tab's standing for leadership, until `signal` ends it. It leads while it alone holds a lock. A turn that fails
 * for want of a disk goes to whoever waits, and this tab comes again: the disk may have room by then.
 *
 * A leader beats. One that is frozen keeps its lock and is silent, so whoever has missed `beatsMissedMax` of its beats
 * takes the lock from it; what it still tries to write when it wakes is refused by the disk (`DeviceLog.claim`).
 * Beats are counted in turns of this tab's own timer, never in time: a tab that was frozen itself has missed nothing.
 */
export class Candidate {
  readonly #host: Pick<Host, "lock" | "after">
  readonly #name: string
  readonly #signal: AbortSignal
  readonly #election: Election
  #waiting = new AbortController()
  #isHolding = false
  #missed = 0
  #stopTimer: () => void = () => {}

  constructor(host: Pick<Host, "lock" | "after">, name: string, signal: AbortSignal, election: Election) {
    this.#host = host
    this.#name = name
    this.#signal = signal
    this.#election = election
    signal.addEventListener("abort", () => this.#end())
    this.#stand(false)
    this.#watch()
  }

  /** A leader lives. */
  heard(): void {
    this.#missed = 0
  }

  #stand(steal: boolean): void {
    this.#waiting.abort()
    this.#waiting = new AbortController()
    const { signal } = this.#waiting
    this.#host.lock(this.#name, { signal, steal }, async (lost) => {
      if (!this.#signal.aborted) await this.#hold(lost)
    })
  }

  async #hold(lost: AbortSignal): Promise<void> {
    this.#isHolding = true
    this.#election.beat()
    try {
      await this.#election.lead(AbortSignal.any([lost, this.#signal]))
    } catch (reason) {
      if (this.#signal.aborted) return
      if (!(reason instanceof HeadwaterError)) throw reason
      this.#election.failed(reason)
    } finally {
      this.#isHolding = false
      this.#missed = 0
    }
    if (this.#signal.aborted) return
    const stopTimer = this.#host.after(PAUSE_MS, () => this.#stand(false))
    this.#waiting.signal.addEventListener("abort", stopTimer, { once: true })
  }

  #watch(): void {
    this.#stopTimer = this.#host.after(COMMON_LIMITS.beatMsInterval, () => {
      if (this.#isHolding) this.#election.beat()
      else if (++this.#missed >= COMMON_LIMITS.beatsMissedMax) {
        this.#missed = 0
        this.#stand(true)
      }
      this.#watch()
    })
  }

  #end(): void {
    this.#stopTimer()
    this.#waiting.abort()
  }
}
