import type { LockOptions } from "../../client/host.ts"
import type { Owner } from "./disk.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

type Claim = {
  readonly owner: Owner
  readonly signal: AbortSignal
  readonly lost: AbortController
  readonly held: (lost: AbortSignal) => Promise<void>
}

/** Web Locks of one device: one holder for each name, the others wait in order; the dead hold and want nothing. */
export class Locks {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #onFailure: (error: unknown) => void
  readonly #waiting = new Map<string, Claim[]>()
  readonly #holders = new Map<string, Claim>()

  /** @param onFailure Hears what a holder throws that still wants the lock: in a browser nobody would. */
  constructor(scheduler: Scheduler, random: Random, onFailure: (error: unknown) => void) {
    this.#scheduler = scheduler
    this.#random = random
    this.#onFailure = onFailure
  }

  request(owner: Owner, name: string, { signal, steal }: LockOptions, held: Claim["held"]): void {
    if (signal.aborted) return
    const claim = { owner, signal, held, lost: new AbortController() }
    const queue = this.#queue(name)
    this.#waiting.set(name, steal ? [claim, ...queue] : [...queue, claim])
    const holder = this.#holders.get(name)
    if (steal && holder !== undefined) this.#take(name, holder)
    signal.addEventListener("abort", () => this.#withdraw(name, claim))
    this.#grantNext(name)
  }

  /** The owner's thread is gone, and its locks with it. */
  abandon(owner: Owner): void {
    for (const [name, queue] of this.#waiting) {
      this.#waiting.set(
        name,
        queue.filter((claim) => claim.owner !== owner),
      )
    }
    for (const [name, holder] of [...this.#holders]) if (holder.owner === owner) this.#free(name, holder)
  }

  /** Who waits gets the lock of one who still believes to hold it, and who hears of it some time later. */
  steal(): boolean {
    for (const [name, holder] of this.#holders) {
      if (this.#queue(name).length === 0) continue
      this.#take(name, holder)
      return true
    }
    return false
  }

  /** Whether the owner holds or wants any lock. */
  concerns(owner: Owner): boolean {
    const waiting = [...this.#waiting.values()].flat()
    return [...waiting, ...this.#holders.values()].some((claim) => claim.owner === owner)
  }

  #queue(name: string): readonly Claim[] {
    return this.#waiting.get(name) ?? []
  }

  #withdraw(name: string, claim: Claim): void {
    this.#waiting.set(
      name,
      this.#queue(name).filter((other) => other !== claim),
    )
  }

  #grantNext(name: string): void {
    if (this.#holders.has(name) || this.#queue(name).length === 0) return
    this.#scheduler.after(this.#random.delay(0.5), `lock ${name} granted`, () => {
      const [claim, ...rest] = this.#queue(name)
      if (claim === undefined || this.#holders.has(name)) return
      this.#waiting.set(name, rest)
      this.#holders.set(name, claim)
      claim.owner.turn(() => this.#hold(name, claim))
    })
  }

  #hold(name: string, claim: Claim): void {
    claim
      .held(claim.lost.signal)
      .catch((error: unknown) => {
        if (!claim.signal.aborted) this.#onFailure(error)
      })
      .finally(() => {
        if (claim.owner.isAlive) this.#free(name, claim)
      })
  }

  #take(name: string, holder: Claim): void {
    this.#free(name, holder)
    this.#scheduler.after(this.#random.wait(1_000), `lock ${name} is lost`, () => {
      holder.owner.turn(() => holder.lost.abort())
    })
  }

  /** Lets go of a lock that this claim holds. Another's is not touched. */
  #free(name: string, claim: Claim): void {
    if (this.#holders.get(name) !== claim) return
    this.#holders.delete(name)
    this.#grantNext(name)
  }
}
