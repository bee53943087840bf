import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

type Parcel = {
  readonly size: number
  readonly label: string
  readonly deliver: () => void
  stop: () => void
}

/**
 * One direction of a connection: everything arrives in order, or nothing more does. In between it may stand still for
 * as long as the network is away.
 */
export class Pipe {
  readonly #scheduler: Scheduler
  readonly #random: Random
  #delayMs: number
  #lastAt = 0
  #state: "open" | "held" | "cut" = "open"
  #inTransit: Parcel[] = []
  #held: Parcel[] = []

  constructor(scheduler: Scheduler, random: Random, delayMs: number) {
    this.#scheduler = scheduler
    this.#random = random
    this.#delayMs = delayMs
  }

  /** The size of all that has not arrived. */
  get waiting(): number {
    return [...this.#inTransit, ...this.#held].reduce((sum, { size }) => sum + size, 0)
  }

  send(label: string, deliver: () => void, size = 0): void {
    const parcel: Parcel = { size, label, deliver, stop: () => {} }
    if (this.#state === "held") this.#held.push(parcel)
    else if (this.#state === "open") this.#dispatch(parcel)
  }

  /** What is on the way arrives; what follows waits for `release`. */
  hold(): void {
    if (this.#state === "open") this.#state = "held"
  }

  release(): void {
    if (this.#state !== "held") return
    this.#state = "open"
    for (const parcel of this.#held.splice(0)) this.#dispatch(parcel)
  }

  /** Of what is on the way a part arrives, from the front, then `lastWord` if there is one, and nothing ever after. */
  cut(label: string, lastWord?: () => void): void {
    if (this.#state === "cut") return
    this.lose(this.#random.whole(0, this.#inTransit.length))
    if (lastWord !== undefined) this.#dispatch({ size: 0, label, deliver: lastWord, stop: () => {} })
  }

  /** Of what is on the way so much arrives, from the front, and nothing ever after. Gives what else would have. */
  lose(arriving = 0): (() => void)[] {
    this.#state = "cut"
    const lost = [...this.#inTransit.splice(arriving), ...this.#held.splice(0)]
    for (const parcel of lost) parcel.stop()
    return lost.map(({ deliver }) => deliver)
  }

  /** From now on everything takes about so long. */
  slow(delayMs: number): void {
    this.#delayMs = delayMs
  }

  #dispatch(parcel: Parcel): void {
    const { now } = this.#scheduler
    this.#lastAt = Math.max(now + this.#random.delay(this.#delayMs), this.#lastAt + 0.001)
    this.#inTransit.push(parcel)
    parcel.stop = this.#scheduler.after(this.#lastAt - now, parcel.label, () => {
      this.#inTransit.shift()
      parcel.deliver()
    })
  }
}
