import { SortedStore } from "../../client/thread/sorted-store.ts"
import { STORES, type StorageKey, type StoreName } from "../../client/thread/storage.ts"

/** One record that is put (or with `undefined` taken out) in one store. */
export type Change = {
  readonly store: StoreName
  readonly key: StorageKey
  readonly record: object | undefined
}

/** What a device's database holds at one moment. */
export class Image {
  readonly #stores: ReadonlyMap<StoreName, SortedStore>
  /** The last key that the outbox gave. */
  lastKey: number

  constructor(stores?: ReadonlyMap<StoreName, SortedStore>, lastKey = 0) {
    this.#stores = stores ?? new Map(STORES.map((name) => [name, new SortedStore()]))
    this.lastKey = lastKey
  }

  store(name: StoreName): SortedStore {
    const store = this.#stores.get(name)
    if (store === undefined) throw new Error(`There is no store ${name}.`)
    return store
  }

  /** Carries out the changes. Gives those that undo them. */
  apply(changes: readonly Change[]): Change[] {
    const undo: Change[] = []
    for (const { store, key, record } of changes) {
      undo.unshift({ store, key, record: this.store(store).set(key, record) })
      if (store === "outbox" && typeof key === "number") this.lastKey = Math.max(this.lastKey, key)
    }
    return undo
  }

  copy(): Image {
    return new Image(new Map(STORES.map((name) => [name, this.store(name).copy()])), this.lastKey)
  }
}

/** The key under which a store keeps a record. The outbox gives its keys itself. */
export function keyOf(store: StoreName, record: Readonly<Record<string, unknown>>): StorageKey {
  if (store === "pages") return [String(record.stream), String(record.next)]
  if (store === "cursors") return [String(record.stream), String(record.name)]
  if (store === "streams") return String(record.stream)
  return store === "meta" ? String(record.name) : Number(record.key)
}
