import type { Millis } from "../../shared/ids.ts"
import {
  notReached,
  REACHED,
  type Reachability,
  rested,
  setOut,
  spreadMs,
} from "../../shared/reachability.ts"
import type { Host } from "../host.ts"

type Waiter = { readonly wake: () => void; isDue: boolean; stopTimer: () => void }

/** One of the connections that share the way: only who it is counts. */
export type Traveller = object

/**
 * The way to the edge that the connections of a leader share. Those that have lost it wait here; while nobody has
 * reached the edge one of them tries at a time, and when it is reached the others follow, spread over a moment.
 */
export class WayToEdge {
  readonly #host: Pick<Host, "now" | "chance" | "after">
  /** In the order in which they came: who has tried in vain stands last. */
  readonly #waiting = new Map<Traveller, Waiter>()
  #state: Reachability = REACHED
  #trier: Traveller | undefined
  #stopTimer: () => void = () => {}

  constructor(host: Pick<Host, "now" | "chance" | "after">) {
    this.#host = host
  }

  /**
   * Calls `wake` at `at`, or later: when many wait, and when the edge is out of reach and others are before this one.
   * Returns the way to stop.
   */
  wait(who: Traveller, at: Millis, wake: () => void): () => void {
    const waiter: Waiter = { wake, isDue: false, stopTimer: () => {} }
    const crowd = spreadMs(this.#waiting.size, this.#host.chance())
    this.#waiting.set(who, waiter)
    this.#dueIn(waiter, at - this.#host.now() + crowd)
    return () => {
      waiter.stopTimer()
      this.#waiting.delete(who)
    }
  }

  /** The edge has answered somebody. */
  reached(): void {
    if (this.#state.kind === "reached") return
    this.#state = REACHED
    this.#trier = undefined
    this.#stopTimer()
    this.#release([...this.#waiting.values()].filter(({ isDue }) => isDue))
  }

  /** The edge was not reached by this one. While another one tries, that says nothing new. */
  notReached(who: Traveller): void {
    if (this.#trier !== undefined && this.#trier !== who) return
    this.#trier = undefined
    this.#become(notReached(this.#state, this.#host.chance()))
  }

  /** This one does not try any longer, for reasons of its own. */
  left(who: Traveller): void {
    if (this.#trier !== who) return
    this.#trier = undefined
    this.#become(rested(this.#state))
  }

  /** There is reason to hope: nobody waits for his time any more. */
  hope(): void {
    if (this.#state.kind === "reached") return this.#release([...this.#waiting.values()])
    for (const waiter of this.#waiting.values()) {
      waiter.stopTimer()
      waiter.isDue = true
    }
    if (this.#trier === undefined) this.#become(rested(this.#state))
  }

  /** No timer is left when it returns. Those that wait have been stopped before. */
  end(): void {
    this.#stopTimer()
  }

  #become(state: Reachability): void {
    if (state === this.#state) return
    this.#state = state
    this.#stopTimer()
    const restMs = state.kind === "resting" ? state.restMs : 0
    const go = () => {
      this.#state = rested(this.#state)
      this.#next()
    }
    this.#stopTimer = this.#host.after(restMs, go) // a turn later at least: whoever told of it is not done yet
  }

  /** Lets one go that is due, if one may. */
  #next(): void {
    const state = setOut(this.#state)
    const found = [...this.#waiting].find(([, { isDue }]) => isDue)
    if (state === undefined || found === undefined) return
    const [who, { wake }] = found
    this.#state = state
    if (state.kind === "trying") this.#trier = who
    wake()
  }

  #release(waiters: readonly Waiter[]): void {
    for (const waiter of waiters) this.#dueIn(waiter, spreadMs(waiters.length, this.#host.chance()))
  }

  #dueIn(waiter: Waiter, ms: number): void {
    waiter.stopTimer()
    waiter.isDue = false
    waiter.stopTimer = this.#host.after(ms, () => {
      waiter.isDue = true
      this.#next()
    })
  }
}
