import type { KeyRange, StorageKey } from "./storage.ts"

/** Records in the order of their keys, as IndexedDB orders them. */
export class SortedStore {
  readonly #keys: StorageKey[]
  readonly #records: object[]

  constructor(keys: readonly StorageKey[] = [], records: readonly object[] = []) {
    this.#keys = [...keys]
    this.#records = [...records]
  }

  get(key: StorageKey): object | undefined {
    const at = this.#place(key)
    return this.#holds(at, key) ? this.#records[at] : undefined
  }

  /** Puts a record in its place, or with `undefined` takes it out. Gives what was there. */
  set(key: StorageKey, record: object | undefined): object | undefined {
    const at = this.#place(key)
    const isKnown = this.#holds(at, key)
    const before = isKnown ? this.#records[at] : undefined
    const inserted = record === undefined ? [] : [record]
    this.#keys.splice(at, isKnown ? 1 : 0, ...inserted.map(() => key))
    this.#records.splice(at, isKnown ? 1 : 0, ...inserted)
    return before
  }

  range({ after, upTo, only }: KeyRange = {}, limit = Number.POSITIVE_INFINITY): object[] {
    const found: object[] = []
    const from = only ?? after
    for (let at = from === undefined ? 0 : this.#place(from); at < this.#keys.length; at++) {
      const key = this.#keys[at]
      const record = this.#records[at]
      if (key === undefined || record === undefined || found.length >= limit) break
      if (after !== undefined && compareKeys(key, after) === 0) continue
      if (only !== undefined && compareKeys(key, only) !== 0) break
      if (upTo !== undefined && compareKeys(key, upTo) > 0) break
      found.push(record)
    }
    return found
  }

  copy(): SortedStore {
    return new SortedStore(this.#keys, this.#records)
  }

  #holds(at: number, key: StorageKey): boolean {
    const there = this.#keys[at]
    return there !== undefined && compareKeys(there, key) === 0
  }

  /** Where the key is or would be. */
  #place(key: StorageKey): number {
    let from = 0
    let to = this.#keys.length
    while (from < to) {
      const middle = (from + to) >> 1
      const there = this.#keys[middle]
      if (there !== undefined && compareKeys(there, key) < 0) from = middle + 1
      else to = middle
    }
    return from
  }
}

/** Numbers come before texts and texts before arrays; arrays compare member by member, a shorter one first. */
export function compareKeys(one: StorageKey, other: StorageKey): number {
  if (rank(one) !== rank(other)) return rank(one) - rank(other)
  if (typeof one !== "object" || typeof other !== "object") return one < other ? -1 : Number(one > other)
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    const order = compareKeys(one[at] ?? 0, other[at] ?? 0)
    if (order !== 0) return order
  }
  return one.length - other.length
}

function rank(key: StorageKey): number {
  if (typeof key === "number") return 0
  return typeof key === "string" ? 1 : 2
}
