import { SortedStore } from "../../client/disk/sorted-store.ts"
import { STORES, type StorageKey, type StoreName } from "../../client/disk/storage.ts"

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
      const isGiven = store === "outbox" && typeof key === "number" && record !== undefined
      if (isGiven) this.lastKey = Math.max(this.lastKey, Math.floor(key))
    }
    return undo
  }

  copy(): Image {
    return new Image(new Map(STORES.map((name) => [name, this.store(name).copy()])), this.lastKey)
  }
}

/** Where records carry their keys. */
const KEY_PATHS: Readonly<Record<StoreName, string | readonly string[]>> = {
  outbox: "key",
  pages: ["stream", "next"],
  streams: "stream",
  meta: "name",
  rejected: "key",
  cursors: ["stream", "name"],
}

/** The key that a record carries. In the outbox it may have none: then the outbox gives it one. */
export function keyOf(store: StoreName, record: Readonly<Record<string, unknown>>): StorageKey | undefined {
  const path = KEY_PATHS[store]
  if (typeof path === "string") return isPart(record[path]) ? record[path] : undefined
  const parts = path.map((name) => record[name]).filter(isPart)
  return parts.length === path.length ? parts : undefined
}

function isPart(value: unknown): value is number | string {
  return typeof value === "number" || typeof value === "string"
}
