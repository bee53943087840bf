import { DiskTransaction, type Terms } from "./disk-transaction.ts"
import { type Change, Image } from "./image.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"
import type { Trace } from "./trace.ts"

/** Whoever has opened the database. The dead hear nothing and ask for nothing. */
export type Owner = { readonly name: string; readonly isAlive: boolean }

/** How a device's disk misbehaves: chances per write transaction, and how long a request takes. */
export type DiskFaults = { readonly full: number; readonly stall: number; readonly delayMs: number }

export const SOUND_DISK: DiskFaults = { full: 0, stall: 0, delayMs: 0.4 }

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
      const isDropped = transaction.isWaiting && this.parts.random.chance(0.5)
      if (isDropped || !transaction.isCommitted) transaction.abort()
    }
  }

  get isBusy(): boolean {
    return this.#queue.length > 0
  }

  /** Whether a transaction of the owner's is under way. */
  concerns(owner: Owner): boolean {
    return this.#queue.some((transaction) => transaction.owner === owner)
  }

  /** Nobody may be alive. */
  cutPower(): void {
    for (const transaction of [...this.#queue]) transaction.abort()
    const kept = this.parts.random.whole(0, this.#unflushed.length)
    this.parts.trace.fault("power cut", `${this.name} keeps ${kept} of ${this.#unflushed.length}`)
    for (const changes of this.#unflushed.slice(0, kept)) this.#flushed.apply(changes)
    this.#unflushed = []
    this.#image = this.#flushed.copy()
  }

  /** A transaction has ended. `changes` is what it wrote when it took effect. */
  ended(transaction: DiskTransaction, changes: readonly Change[], undo: readonly Change[]): void {
    this.#queue = this.#queue.filter((other) => other !== transaction)
    if (changes.length > 0) {
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
