import { DiskTransaction, type Terms } from "./disk-transaction.ts"
import { type Change, Image } from "./image.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"
import type { Trace } from "./trace.ts"

/** Whoever has opened the database. The dead hear nothing and ask for nothing. */
export type Owner = {
  readonly name: string
  readonly isAlive: boolean
  /** Lets it hear something: at once, or when it is no longer frozen. */
  turn(act: () => void): void
}

/** Somebody who is never frozen. */
export class SteadyOwner implements Owner {
  readonly name: string
  isAlive = true

  constructor(name: string) {
    this.name = name
  }

  turn(act: () => void): void {
    if (this.isAlive) act()
  }
}

/** How a device's disk misbehaves: chances per write transaction, and how long a request takes. */
export type DiskFaults = {
  readonly full: number
  readonly stall: number
  readonly delayMs: number
  /** Whether each request is answered in a turn of its own; else some share one. */
  readonly isSlowToAnswer?: boolean
}

export const SOUND_DISK: DiskFaults = { full: 0, stall: 0, delayMs: 0.4 }

/** Sees each request, and each commit, right before it takes effect, and right after, before its thread hears of it. */
export type DiskProbe = (when: "before" | "after") => void

/** Whether a transaction that its thread has committed still completes when the thread is gone. */
export type LastWill = (transaction: DiskTransaction) => boolean

export type DiskParts = { readonly scheduler: Scheduler; readonly random: Random; readonly trace: Trace }

/** Sees each transaction as it takes effect. `undone` lists what was there before, newest first. */
export type DiskWatcher = (changes: readonly Change[], undone: readonly Change[], image: Image) => void

/**
 * The database of one device, with IndexedDB's rules: of transactions that share a store, and of which one writes, the
 * one that was begun later waits for the other; requests are answered later; what has left for the browser completes
 * without the thread that sent it, unless it still had to wait: browsers may drop that.
 *
 * After a power cut it holds what the last strict transaction flushed, and as many of the relaxed ones after it as
 * chance says, in order.
 */
export class Disk {
  readonly parts: DiskParts
  readonly name: string
  faults: DiskFaults = SOUND_DISK
  probe: DiskProbe | undefined
  lastWill: LastWill = (transaction) => !transaction.isWaiting || this.parts.random.chance(0.5)
  /** Counts the transactions that have written something: the same number, the same records. */
  writes = 0
  #image = new Image()
  #flushed = new Image()
  #unflushed: (readonly Change[])[] = []
  #queue: DiskTransaction[] = []
  readonly #watch: DiskWatcher

  constructor(name: string, parts: DiskParts, watch: DiskWatcher) {
    this.name = name
    this.parts = parts
    this.#watch = watch
  }

  get image(): Image {
    return this.#image
  }

  begin(terms: Terms): DiskTransaction {
    const isFull = terms.kind === "write" && this.parts.random.chance(this.faults.full)
    const transaction = new DiskTransaction(this, terms, isFull)
    this.#queue.push(transaction)
    this.#startDue()
    return transaction
  }

  /** The owner's thread is gone. What it has committed goes on; all else is as if it had never been. */
  abandon(owner: Owner): void {
    for (const transaction of [...this.#queue]) {
      if (transaction.owner !== owner) continue
      if (!transaction.isCommitted || !this.lastWill(transaction)) transaction.abort()
    }
  }

  get isBusy(): boolean {
    return this.#queue.length > 0
  }

  /** Whether a transaction of the owner's is under way. */
  concerns(owner: Owner): boolean {
    return this.#queue.some((transaction) => transaction.owner === owner)
  }

  /** Those that have left for the browser and have yet to complete, in the order in which they were begun. */
  get underWay(): readonly DiskTransaction[] {
    return this.#queue.filter((transaction) => transaction.isCommitted)
  }

  /** How many transactions wait for what their threads will ask next. */
  get undecided(): number {
    return this.#queue.length - this.underWay.length
  }

  /** How many transactions a power cut can take back. */
  get unflushed(): number {
    return this.#unflushed.length
  }

  /** What is there of all that is complete. */
  get committed(): Image {
    return this.imageAfterPowerCut(this.#unflushed.length)
  }

  /** What would be there after a power cut that leaves so many of the unflushed transactions. */
  imageAfterPowerCut(kept: number): Image {
    const image = this.#flushed.copy()
    for (const changes of this.#unflushed.slice(0, kept)) image.apply(changes)
    return image
  }

  /** Nobody may be alive. @param kept How many of the unflushed transactions are left; by chance unless it is given. */
  cutPower(kept = this.parts.random.whole(0, this.#unflushed.length)): void {
    for (const transaction of [...this.#queue]) transaction.abort()
    this.parts.trace.fault("power cut", `${this.name} keeps ${kept} of ${this.#unflushed.length}`)
    this.restore(this.imageAfterPowerCut(kept))
  }

  /** Holds from now on what the image holds, as after a backup was put back. Nobody may be alive. */
  restore(image: Image): void {
    for (const transaction of [...this.#queue]) transaction.abort()
    this.#image = image.copy()
    this.#flushed = image.copy()
    this.#unflushed = []
    this.writes++
  }

  /** A transaction has ended. `changes` is what it wrote when it took effect. */
  ended(transaction: DiskTransaction, changes: readonly Change[], undo: readonly Change[]): void {
    this.#queue = this.#queue.filter((other) => other !== transaction)
    if (changes.length > 0) {
      this.writes++
      this.#unflushed.push(changes)
      if (transaction.durability === "strict") {
        for (const written of this.#unflushed) this.#flushed.apply(written)
        this.#unflushed = []
      }
      this.#watch(changes, undo, this.#image)
    }
    this.#startDue()
  }

  #startDue(): void {
    for (const [at, transaction] of this.#queue.entries()) {
      if (!this.#queue.slice(0, at).some((earlier) => transaction.waitsFor(earlier))) transaction.start()
    }
  }
}
