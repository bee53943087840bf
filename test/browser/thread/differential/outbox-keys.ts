import type { StorageKey } from "../../../../client/disk/storage.ts"
import type { Request, Round } from "./commands.ts"

/*
 * The outbox's keys begin at a number that is of the moment in which a database was made, so two databases that are
 * asked the same have others. Commands and answers count them from the first.
 */

/** Above everything else that a command or a record holds, below every first key. */
const KEYS_FROM = 1e12

/** The same commands for a database whose first key is given. Keys that are not above 0 stay below all. */
export function withKeysFrom(first: number, rounds: readonly Round[]): Round[] {
  return rounds.map(({ transactions, ...round }) => ({
    ...round,
    transactions: transactions.map(({ groups, ...transaction }) => ({
      ...transaction,
      groups: groups.map(({ requests, ...group }) => ({
        ...group,
        requests: requests.map((request) => withKeyFrom(first, request)),
      })),
    })),
  }))
}

function withKeyFrom(first: number, request: Request): Request {
  if (request.kind === "add" || request.store !== "outbox") return request
  if (request.kind === "getAll") return { ...request, range: shifted(request.range, first) }
  if (request.kind === "get" || request.kind === "delete")
    return { ...request, key: shiftedKey(request.key, first) as StorageKey } // a key stays one
  const { key } = request.record
  return key === undefined
    ? request
    : { ...request, record: { ...request.record, key: shiftedKey(key, first) } }
}

function shifted<T extends object>(range: T, first: number): T {
  const entries = Object.entries(range).map(([name, key]) => [name, shiftedKey(key, first)])
  return Object.fromEntries(entries) as T // the same names, each with a key again
}

function shiftedKey(key: unknown, first: number): unknown {
  return typeof key === "number" && key > 0 ? key + first : key
}

/** An answer as if the outbox's first key were 0, without what every database has for itself. */
export function countedFrom(first: number, value: unknown): unknown {
  if (typeof value === "number") return value > KEYS_FROM ? value - first : value
  if (Array.isArray(value)) return value.map((member) => countedFrom(first, member))
  if (typeof value !== "object" || value === null) return value
  if ("name" in value && value.name === "made") return { name: "made" } // each database is of a making of its own
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, countedFrom(first, field)]))
}
