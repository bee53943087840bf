import { compareKeys } from "../../client/disk/sorted-store.ts"
import {
  type Durability,
  Exists,
  type KeyRange,
  type StorageKey,
  type StoreName,
  type WriteTransaction,
} from "../../client/disk/storage.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { Disk, Owner } from "./disk.ts"
import { type Change, keyOf } from "./image.ts"

type Request = { readonly run: () => unknown; settle(outcome: Outcome): void }

type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** What is said of a transaction when it is begun. */
export type Terms = {
  readonly owner: Owner
  readonly kind: "read" | "write"
  readonly durability: Durability
  readonly stores: readonly StoreName[]
}

/** One transaction on its way: it takes requests only in the turn that began it or answered it, as IndexedDB does. */
export class DiskTransaction implements WriteTransaction {
  readonly owner: Owner
  readonly durability: Durability
  /** Resolves when it has taken effect, rejects when it has not. Never settles for the dead. */
  readonly done: Promise<void>
  readonly #disk: Disk
  readonly #terms: Terms
  readonly #isFull: boolean
  #settle: { resolve(): void; reject(reason: unknown): void } = { resolve() {}, reject() {} }
  #requests: Request[] = []
  #changes: Change[] = []
  #undo: Change[] = []
  #activeTurn: number
  #failure: unknown
  /** Answers that a frozen thread has yet to hear. */
  #unheard = 0
  #lastKeyBefore: number
  #state: "waiting" | "running" | "ended" = "waiting"
  isCommitted = false
  /** Whether the code that asks has come to its end. */
  isBodyOver = false

  /** @param isFull The disk will find that there is no room for it. */
  constructor(disk: Disk, terms: Terms, isFull: boolean) {
    this.#disk = disk
    this.#terms = terms
    this.owner = terms.owner
    this.durability = terms.durability
    this.#isFull = isFull
    this.#activeTurn = disk.parts.scheduler.turn
    this.#lastKeyBefore = disk.image.lastKey
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    this.done.catch(() => {})
  }

  /** Whether it has not begun, for others are before it. */
  get isWaiting(): boolean {
    return this.#state === "waiting"
  }

  /** Whether it may begin only when the other, which was begun earlier, has ended. */
  waitsFor(other: DiskTransaction): boolean {
    const [mine, theirs] = [this.#terms, other.#terms]
    const isShared = mine.stores.some((store) => theirs.stores.includes(store))
    return isShared && (mine.kind === "write" || theirs.kind === "write")
  }

  get(store: StoreName, key: StorageKey): Promise<unknown> {
    return this.#request(store, () => clone(this.#disk.image.store(store).get(key)))
  }

  getAll(store: StoreName, range: KeyRange, limit?: number): Promise<unknown[]> {
    const { after, upTo } = range
    if (after !== undefined && upTo !== undefined && compareKeys(after, upTo) >= 0)
      throw refused("DataError: no key is behind one and not behind the other.")
    const read = () =>
      this.#disk.image
        .store(store)
        .range(range, limit || undefined)
        .map(clone)
    return this.#request(store, read) as Promise<unknown[]> // of what `read` gives
  }

  add(record: object): Promise<number> {
    return this.#keep("outbox", record, true) as Promise<number> // the outbox gives numbers
  }

  insert(store: StoreName, record: object): void {
    void this.#keep(store, record, true)
  }

  put(store: StoreName, record: object): void {
    void this.#keep(store, record, false)
  }

  delete(store: StoreName, key: StorageKey): void {
    void this.#request(store, () => this.#change({ store, key, record: undefined }))
  }

  commit(): void {
    this.isCommitted = true
  }

  /** Idempotent, and without effect once it has ended. */
  abort(reason: unknown = new Error("The transaction was aborted.")): void {
    if (this.#state === "ended") return
    this.#disk.image.apply(this.#undo)
    if (this.#state === "running" && this.#writesTo("outbox")) this.#disk.image.lastKey = this.#lastKeyBefore
    for (const request of this.#requests) request.settle({ error: reason })
    this.#requests = []
    this.#end([], [])
    this.owner.turn(() => this.#settle.reject(reason))
  }

  /** Its turn has come. */
  start(): void {
    if (this.#state !== "waiting") return
    this.#state = "running"
    this.#lastKeyBefore = this.#disk.image.lastKey
    this.#stepLater()
  }

  #stepLater(): void {
    const { scheduler, random, trace } = this.#disk.parts
    const isStalled = random.chance(this.#disk.faults.stall)
    if (isStalled) trace.fault("disk stalls", this.#disk.name)
    const ms = random.delay(isStalled ? 2_000 : this.#disk.faults.delayMs)
    scheduler.after(ms, `${this.#disk.name} ${this.owner.name} ${this.#terms.kind}`, () => this.#step())
  }

  /** Answers some requests; when there are none, it is over. */
  #step(): void {
    if (this.#state === "ended") return
    const { random, trace } = this.#disk.parts
    if (this.#requests.length > 0) {
      const most = this.#disk.faults.isSlowToAnswer ? 1 : this.#requests.length
      for (let due = random.whole(1, most); due > 0; due--) this.#answerNext()
      return this.#stepLater()
    }
    if (this.#failure !== undefined) return this.abort(this.#failure)
    if (!this.isCommitted && this.#unheard > 0) return this.owner.turn(() => this.#stepLater()) // it may ask for more
    if (!this.isCommitted && !this.isBodyOver)
      trace.violated("S15", "A transaction ended while its code still waited for something else.")
    if (this.#isFull) {
      trace.fault("disk full", this.#disk.name)
      return this.abort(new HeadwaterError("storage-full", "The simulated disk is full."))
    }
    this.#disk.probe?.("before")
    if (this.#hasEnded()) return
    this.#end(this.#changes, this.#undo)
    this.#disk.probe?.("after")
    this.owner.turn(() => this.#settle.resolve())
  }

  #answerNext(): void {
    this.#disk.probe?.("before")
    const request = this.#requests.shift()
    if (request === undefined) return // whoever looked on has ended it
    const outcome = outcomeOf(request)
    this.#disk.probe?.("after")
    request.settle(outcome)
    if (!("error" in outcome)) return
    if (this.isCommitted)
      this.#failure ??= outcome.error // what else was asked for is answered, and counts for nothing
    else this.abort(outcome.error)
  }

  /** Whoever looks on may have ended it. */
  #hasEnded(): boolean {
    return this.#state === "ended"
  }

  #end(changes: readonly Change[], undo: readonly Change[]): void {
    this.#state = "ended"
    this.#disk.ended(this, changes, undo)
  }

  #change(change: Change): void {
    this.#changes.push(change)
    this.#undo.unshift(...this.#disk.image.apply([change]))
  }

  #keep(store: StoreName, record: object, isNew: boolean): Promise<unknown> {
    const value = clone(record)
    const own = keyOf(store, value as Record<string, unknown>)
    if (own === undefined && store !== "outbox") throw refused("DataError: the record has no key.")
    return this.#request(store, () => {
      const { image } = this.#disk
      const key = own ?? image.lastKey + 1
      if (isNew && image.store(store).get(key) !== undefined)
        throw new Exists(`${store} has ${String(key)} already.`)
      this.#change({ store, key, record: own === undefined ? { ...value, key } : value })
      return key
    })
  }

  #writesTo(store: StoreName): boolean {
    return this.#terms.kind === "write" && this.#terms.stores.includes(store)
  }

  #request(store: StoreName, run: () => unknown): Promise<unknown> {
    if (!this.#terms.stores.includes(store))
      throw new Error(`NotFoundError: ${store} is not of this transaction.`)
    if (this.#state === "ended" || this.#activeTurn !== this.#disk.parts.scheduler.turn || this.isCommitted)
      throw new Error("TransactionInactiveError: a request came when the transaction takes none.")
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#unheard++
      this.#requests.push({
        run,
        settle: (outcome) =>
          this.owner.turn(() => {
            this.#unheard--
            this.#activeTurn = this.#disk.parts.scheduler.turn
            if ("error" in outcome) reject(outcome.error)
            else resolve(outcome.value)
          }),
      })
    })
    answer.catch(() => {}) // a failing request fails the transaction, and that is awaited
    return answer
  }
}

function outcomeOf(request: Request): Outcome {
  try {
    return { value: request.run() }
  } catch (error) {
    return { error }
  }
}

function clone<T>(value: T): T {
  try {
    return structuredClone(value)
  } catch (reason) {
    throw refused(String(reason))
  }
}

/** What the browser refuses at once. */
function refused(reason: string): HeadwaterError {
  return new HeadwaterError("storage-unavailable", reason)
}
