import { SortedStore } from "./sorted-store.ts"
import {
  type Durability,
  Exists,
  type KeyRange,
  type ReadTransaction,
  STORES,
  type Storage,
  type StorageKey,
  type StoreName,
  type WriteTransaction,
} from "./storage.ts"
import { Health } from "./storage-health.ts"

/** A record as it was put: its fields by name. */
type Fields = Readonly<Record<string, unknown>>

/**
 * The store of a thread whose browser gives it none. It keeps what IndexedDB keeps, for as long as the thread lives,
 * and has no faults. Transactions run one after the other, in the order of the calls.
 */
export class MemoryStorage implements Storage {
  readonly health = new Health("memory")
  readonly #stores = new Map<StoreName, SortedStore>(STORES.map((name) => [name, new SortedStore()]))
  #lastKey = 0
  #queue: Promise<void> = Promise.resolve()

  read<T>(body: (tx: ReadTransaction) => Promise<T>): Promise<T> {
    return this.#run((tx) => {
      const reading = body(tx)
      tx.isCommitted = true
      return reading
    })
  }

  write<T>(_durability: Durability, body: (tx: WriteTransaction) => Promise<T> | T): Promise<T> {
    return this.#run(body)
  }

  close(): void {
    this.health.tell({ kind: "closed" })
  }

  /** Above all keys that the outbox has given or was given. */
  nextKey(): number {
    return this.#lastKey + 1
  }

  /** Puts a record, or takes it out. Gives what was there. */
  set(name: StoreName, key: StorageKey, record: object | undefined): object | undefined {
    if (name === "outbox" && typeof key === "number") this.#lastKey = Math.max(this.#lastKey, key)
    return this.store(name).set(key, record)
  }

  store(name: StoreName): SortedStore {
    const store = this.#stores.get(name)
    if (store === undefined) throw new Error(`There is no store ${name}.`)
    return store
  }

  /** The body makes its first requests at once, as with IndexedDB; they wait for the transactions before it. */
  async #run<T>(body: (tx: MemoryTransaction) => Promise<T> | T): Promise<T> {
    this.health.check()
    const before = this.#queue
    let end = () => {}
    this.#queue = new Promise((resolve) => {
      end = resolve
    })
    const tx = new MemoryTransaction(this)
    try {
      const running = body(tx)
      await before
      tx.start()
      const result = await running
      tx.check()
      return result
    } catch (reason) {
      await before
      tx.undo()
      throw tx.failure ?? reason
    } finally {
      end()
    }
  }
}

class MemoryTransaction implements WriteTransaction {
  readonly #storage: MemoryStorage
  readonly #undo: (() => void)[] = []
  #waiting: (() => void)[] | undefined = []
  /** It takes no more requests. */
  isCommitted = false
  /** What has failed it: nothing of it counts. */
  failure: Exists | undefined

  constructor(storage: MemoryStorage) {
    this.#storage = storage
  }

  get(store: StoreName, key: StorageKey): Promise<unknown> {
    return this.#request(() => this.#storage.store(store).get(key))
  }

  getAll(store: StoreName, range: KeyRange, limit?: number): Promise<unknown[]> {
    return this.#request(() => this.#storage.store(store).range(range, limit))
  }

  add(record: object): Promise<number> {
    const value = structuredClone(record)
    return this.#request(() => {
      const key = this.#storage.nextKey()
      this.#set("outbox", key, { ...value, key })
      return key
    })
  }

  insert(store: StoreName, record: object): void {
    const [key, value] = keyed(store, record)
    void this.#request(() => {
      if (this.#storage.store(store).get(key) !== undefined)
        this.failure = new Exists(`${store} has ${String(key)} already.`)
      else this.#set(store, key, value)
    })
  }

  put(store: StoreName, record: object): void {
    const [key, value] = keyed(store, record)
    void this.#request(() => this.#set(store, key, value))
  }

  delete(store: StoreName, key: StorageKey): void {
    void this.#request(() => this.#set(store, key, undefined))
  }

  /** Its turn has come. */
  start(): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    for (const request of waiting) request()
  }

  check(): void {
    if (this.failure !== undefined) throw this.failure
  }

  /** Whatever it asks from now on comes to nothing. */
  undo(): void {
    this.#waiting = []
    for (const step of this.#undo.reverse()) step()
  }

  #set(name: StoreName, key: StorageKey, record: object | undefined): void {
    if (this.failure !== undefined) return
    const old = this.#storage.set(name, key, record)
    this.#undo.push(() => void this.#storage.set(name, key, old))
  }

  #request<T>(run: () => T): Promise<T> {
    if (this.isCommitted) throw new Error("A request came behind the commit of its transaction.")
    return new Promise((resolve) => {
      const answer = () => resolve(run())
      if (this.#waiting === undefined) answer()
      else this.#waiting.push(answer)
    })
  }
}

/** A copy of a record, and the key that it carries. */
function keyed(store: StoreName, record: object): [StorageKey, object] {
  const value = structuredClone(record)
  const fields = value as Fields // any object is
  switch (store) {
    case "pages":
      return [[String(fields.stream), String(fields.next)], value]
    case "cursors":
      return [[String(fields.stream), String(fields.name)], value]
    case "streams":
      return [String(fields.stream), value]
    case "meta":
      return [String(fields.name), value]
    case "outbox":
    case "rejected":
      return [Number(fields.key), value]
  }
}
