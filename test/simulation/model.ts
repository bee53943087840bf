import type { StreamPath } from "../../shared/ids.ts"
import type { ViewData } from "../../shared/view/definition.ts"

/*
 * What the simulated apps keep: a ledger for each stream. `place` notes every event in the order in which it is
 * folded, so a reader's rows say exactly what it has seen; an account's balance depends on the order as well.
 */

export type LedgerEvent = {
  readonly id: string
  readonly type: "moved" | "cleared" | "remarked"
  readonly source: string
  readonly time: string
  readonly data: { readonly account: string; readonly amount: number }
}

/** What a view of a ledger holds. */
export type Ledger = {
  readonly places: readonly string[]
  readonly accounts: readonly { readonly name: string; readonly balance: number }[]
}

export const STREAMS = ["acme/ledger-0", "acme/ledger-1"] as StreamPath[] // paths by their spelling

export const ACCOUNTS = ["cash", "bank", "debt"]

const MODULUS = 1_000_003

/** The view over the first `count` streams. A "remarked" event has no handler: it stays in the log only. */
export function ledgerView(count: number): ViewData {
  return Object.fromEntries(STREAMS.slice(0, count).map((_, at) => [`ledger${at}`, ledgerSource(at)]))
}

export function ledgerStreams(count: number): Record<string, StreamPath> {
  return Object.fromEntries(STREAMS.slice(0, count).map((stream, at) => [`ledger${at}`, stream]))
}

function ledgerSource(at: number): ViewData[string] {
  const note = `INSERT INTO places${at} (place, event) SELECT coalesce(max(place), 0) + 1, :event_id FROM places${at}`
  return {
    tables: [
      `CREATE TABLE places${at} (place INTEGER PRIMARY KEY, event TEXT NOT NULL) STRICT`,
      `CREATE TABLE accounts${at} (name TEXT PRIMARY KEY, balance INTEGER NOT NULL) STRICT`,
    ],
    on: {
      moved: [
        note,
        `INSERT INTO accounts${at} (name, balance) VALUES (:account, :amount)
         ON CONFLICT (name) DO UPDATE SET balance = (balance * 3 + :amount) % ${MODULUS}`,
      ],
      cleared: [note, `DELETE FROM accounts${at} WHERE name = :account`],
    },
  }
}

export function placesQuery(stream: StreamPath): string {
  return `SELECT event FROM places${STREAMS.indexOf(stream)} ORDER BY place`
}

export function accountsQuery(stream: StreamPath): string {
  return `SELECT name, balance FROM accounts${STREAMS.indexOf(stream)} ORDER BY name`
}

/** Whether an edge with a guard refuses it. */
export function isGuarded({ data }: LedgerEvent): boolean {
  return data.amount % 9 === 0
}

/** Whether an event leaves a trace in the rows. */
export function isFolded(event: LedgerEvent): boolean {
  return event.type !== "remarked"
}

/** The same fold as the view's, without SQL. */
export function foldLedger(events: readonly LedgerEvent[]): Ledger {
  const places: string[] = []
  const accounts = new Map<string, number>()
  for (const { id, type, data } of events.filter(isFolded)) {
    places.push(id)
    const before = accounts.get(data.account)
    if (type === "cleared") accounts.delete(data.account)
    else accounts.set(data.account, before === undefined ? data.amount : (before * 3 + data.amount) % MODULUS)
  }
  const names = [...accounts.keys()].sort()
  return { places, accounts: names.map((name) => ({ name, balance: accounts.get(name) ?? 0 })) }
}
