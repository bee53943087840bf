import type { Durability, KeyRange, StorageKey, StoreName } from "../../../../client/disk/storage.ts"
import { STORES } from "../../../../client/disk/storage.ts"
import type { Random } from "../../../simulation/random.ts"

/*
 * What is asked of a store, drawn by chance: rounds of transactions that are begun in one turn, on two connections to
 * one database, some of which are closed while their transactions are under way.
 */

export type Round = { readonly transactions: readonly Transaction[]; readonly closes: readonly Connection[] }

export type Connection = 0 | 1

export type Transaction = {
  readonly on: Connection
  readonly kind: "read" | "write"
  readonly durability: Durability
  readonly stores: readonly StoreName[]
  /** Requests that are made in one turn; the next ones when those are answered. */
  readonly groups: readonly Group[]
  /** Whether the body gives no promise; it has one group then. */
  readonly isSync: boolean
  /** Throws behind so many groups. */
  readonly throwsBehind: number | undefined
}

export type Group = {
  readonly requests: readonly Request[]
  /** Microtasks before the requests. */
  readonly hops: number
  readonly awaits: "all" | "first"
}

export type Request =
  | { readonly kind: "get"; readonly store: StoreName; readonly key: StorageKey }
  | {
      readonly kind: "getAll"
      readonly store: StoreName
      readonly range: KeyRange
      readonly limit: number | undefined
    }
  | { readonly kind: "add"; readonly record: TestRecord }
  | { readonly kind: "put" | "insert"; readonly store: StoreName; readonly record: TestRecord }
  | { readonly kind: "delete"; readonly store: StoreName; readonly key: StorageKey }

/** `list` grows after it was handed over. `spoilt` cannot be stored. */
export type TestRecord = Readonly<Record<string, unknown>> & { readonly list: number[] }

const STREAMS = ["s", "s ", "t", "ü"]
const NEXTS = ["-1", "1", "10", "2"]
const NAMES = ["device", "term", "over:1"]
const NUMBERS = [-1, 0, 1, 2, 2.5, 3, 10]

/** Everything that is asked in one life of a database. */
export function drawRounds(random: Random, count: number): Round[] {
  return Array.from({ length: count }, () => ({
    transactions: Array.from({ length: random.whole(1, 5) }, () => drawTransaction(random)),
    closes: ([0, 1] as const).filter(() => random.chance(0.04)),
  }))
}

/** How many commands those are: beginnings, requests and closings. */
export function countCommands(rounds: readonly Round[]): number {
  let count = 0
  for (const { transactions, closes } of rounds) {
    count += transactions.length + closes.length
    for (const { groups } of transactions) for (const { requests } of groups) count += requests.length
  }
  return count
}

function drawTransaction(random: Random): Transaction {
  const kind = random.chance(0.4) ? "read" : "write"
  const stores = STORES.filter(() => random.chance(0.4))
  if (stores.length === 0) stores.push(random.pick(STORES))
  const isSync = kind === "write" && random.chance(0.5)
  const size = isSync || kind === "read" ? 1 : random.whole(1, 3)
  const groups = Array.from({ length: size }, (_, at) => ({
    requests: Array.from({ length: random.whole(at === size - 1 ? 0 : 1, 4) }, (_, request) =>
      kind === "read" || (request === 0 && at < size - 1)
        ? drawRead(random, stores)
        : drawRequest(random, stores),
    ),
    hops: !isSync && kind === "write" && random.chance(0.2) ? random.whole(1, 3) : 0,
    awaits: random.chance(0.8) ? ("all" as const) : ("first" as const),
  }))
  return {
    on: random.chance(0.7) ? 0 : 1,
    kind,
    durability: random.chance(0.3) ? "strict" : "relaxed",
    stores,
    groups,
    isSync,
    throwsBehind: random.chance(0.1) ? random.whole(0, size) : undefined,
  }
}

function drawRead(random: Random, stores: readonly StoreName[]): Request {
  const store = random.pick(stores)
  if (random.chance(0.5)) return { kind: "get", store, key: drawKey(random, store) }
  return {
    kind: "getAll",
    store,
    range: drawRange(random, store),
    limit: random.chance(0.5) ? undefined : random.pick([0, 1, 3]),
  }
}

function drawRequest(random: Random, stores: readonly StoreName[]): Request {
  const store = random.pick(stores)
  switch (random.weighted({ read: 3, add: 3, put: 4, insert: 2, delete: 2 })) {
    case "read":
      return drawRead(random, stores)
    case "add":
      if (stores.includes("outbox")) return { kind: "add", record: drawRecord(random, {}) }
      return { kind: "put", store, record: drawRecord(random, keyFields(random, store)) }
    case "put":
      return { kind: "put", store, record: drawRecord(random, keyFields(random, store)) }
    case "insert":
      return { kind: "insert", store, record: drawRecord(random, keyFields(random, store)) }
    case "delete":
      return { kind: "delete", store, key: drawKey(random, store) }
  }
}

/** The outbox gives keys by itself, so some of its records come without. */
function drawRecord(random: Random, fields: Readonly<Record<string, unknown>>): TestRecord {
  const kept = random.chance(0.01) ? {} : fields
  const spoilt = random.chance(0.01) ? { spoilt: () => {} } : {}
  const extra = random.pick<object>([
    {},
    { text: "ä\ud83d\ude00" },
    { nothing: undefined, none: null, at: -0 },
  ])
  return { ...kept, ...extra, ...spoilt, list: [random.whole(0, 99)] }
}

function keyFields(random: Random, store: StoreName): Record<string, unknown> {
  switch (store) {
    case "outbox":
    case "rejected":
      return { key: random.chance(0.02) ? 40 : random.pick(NUMBERS) }
    case "pages":
      return { stream: random.pick(STREAMS), next: random.pick(NEXTS) }
    case "cursors":
      return { stream: random.pick(STREAMS), name: random.pick(NAMES) }
    case "streams":
      return { stream: random.pick(STREAMS) }
    case "meta":
      return { name: random.pick(NAMES) }
  }
}

function drawKey(random: Random, store: StoreName): StorageKey {
  if (random.chance(0.05)) return random.pick<StorageKey>([7, "s", ["s"], ["s", 1, "x"], []])
  const fields = Object.values(keyFields(random, store)) as (number | string)[] // keys are made of these
  const [only] = fields
  return fields.length === 1 && only !== undefined ? only : fields
}

function drawRange(random: Random, store: StoreName): KeyRange {
  const key = () => drawKey(random, store)
  switch (random.weighted({ all: 2, only: 1, after: 2, upTo: 2, both: 4, prefix: 2 })) {
    case "all":
      return {}
    case "only":
      return { only: key() }
    case "after":
      return { after: key() }
    case "upTo":
      return { upTo: key() }
    case "both":
      return { after: key(), upTo: key() }
    case "prefix":
      return { after: [random.pick(STREAMS)], upTo: [`${random.pick(STREAMS)} `] }
  }
}
