import {
  Exists,
  type ReadTransaction,
  STORES,
  type Storage,
  type WriteTransaction,
} from "../../../../client/disk/storage.ts"
import { HeadwaterError } from "../../../../shared/errors.ts"
import type { Connection, Group, Request, Round, Transaction } from "./commands.ts"
import { countedFrom, withKeysFrom } from "./outbox-keys.ts"

/** A database that can be opened more than once. `goOn` lets its time pass, where it does not pass by itself. */
export type Database = { open(): Promise<Storage>; goOn(): void }

/** What a round has shown: of each transaction what it read and how it ended, and the order in which they ended. */
export type Seen = { readonly results: readonly Result[]; readonly completed: readonly number[] }

export type Result = { readonly answers: readonly unknown[]; readonly end: string }

class Thrown extends Error {}

/** Plays the rounds on a database. The last result is everything that it holds then. */
export async function play(drawn: readonly Round[], database: Database): Promise<Seen[]> {
  const connections = [await database.open(), await database.open()]
  const first = await firstKey(connections[0] as Storage, database) // there are two
  const rounds = withKeysFrom(first, drawn)
  const at = (connection: Connection): Storage => connections[connection] as Storage // there are two
  const seen: Seen[] = []
  for (const { transactions, closes } of rounds) {
    const completed: number[] = []
    const running = transactions.map((transaction, number) =>
      carryOut(transaction, at(transaction.on)).then((result) => {
        if (result.end === "complete") completed.push(number)
        return result
      }),
    )
    for (const connection of closes) at(connection).close()
    const refused = closes.map((connection) => carryOut(LOOK, at(connection)))
    database.goOn()
    seen.push({ results: await Promise.all([...running, ...refused]), completed })
    for (const connection of closes) connections[connection] = await database.open()
  }
  const last = carryOut(LOOK, at(0))
  database.goOn()
  seen.push({ results: [await last], completed: [] })
  for (const connection of connections) connection.close()
  return seen.map((round) => ({ ...round, results: countedFrom(first, round.results) as Result[] })) // of equal shape
}

/** A key that the outbox gives, and that is free again. */
async function firstKey(storage: Storage, database: Database): Promise<number> {
  let key: Promise<number> = Promise.resolve(0)
  const written = storage.write("relaxed", (tx) => {
    key = tx.add({})
  })
  database.goOn()
  await written
  const first = await key
  const deleted = storage.write("relaxed", (tx) => tx.delete("outbox", first))
  database.goOn()
  await deleted
  return first
}

/** Reads everything. */
const LOOK: Transaction = {
  on: 0,
  kind: "read",
  durability: "relaxed",
  stores: STORES,
  groups: [
    {
      requests: STORES.map((store) => ({ kind: "getAll", store, range: {}, limit: undefined })),
      hops: 0,
      awaits: "all",
    },
  ],
  isSync: false,
  throwsBehind: undefined,
}

async function carryOut(transaction: Transaction, storage: Storage): Promise<Result> {
  const answers: Promise<unknown>[] = []
  const { kind, durability, stores, isSync } = transaction
  const body = isSync
    ? (tx: WriteTransaction) => askAtOnce(transaction, tx, answers)
    : (tx: WriteTransaction) => ask(transaction, tx, answers)
  let end = "complete"
  try {
    if (kind === "write") await storage.write(durability, body, stores)
    else await storage.read(async (tx) => ask(transaction, tx, answers), stores)
  } catch (reason) {
    end = nameOf(reason)
  }
  return { answers: await Promise.all(answers.map(outcome)), end }
}

function askAtOnce({ groups, throwsBehind }: Transaction, tx: WriteTransaction, answers: Promise<unknown>[]) {
  groups.forEach((group, at) => {
    if (throwsBehind === at) throw new Thrown(`${at}`)
    for (const request of group.requests) note(perform(request, tx), answers)
  })
  if (throwsBehind === groups.length) throw new Thrown(`${throwsBehind}`)
}

async function ask({ groups, throwsBehind }: Transaction, tx: ReadTransaction, answers: Promise<unknown>[]) {
  for (const [at, group] of groups.entries()) {
    if (throwsBehind === at) throw new Thrown(`${at}`)
    for (let hop = 0; hop < group.hops; hop++) await undefined
    await answered(group, tx, answers, at === groups.length - 1)
  }
  if (throwsBehind === groups.length) throw new Thrown(`${throwsBehind}`)
}

async function answered(group: Group, tx: ReadTransaction, answers: Promise<unknown>[], isLast: boolean) {
  const maker = tx as WriteTransaction // or it is asked for reads alone
  const asked = group.requests.map((request) => note(perform(request, maker), answers))
  const reads = asked.filter((answer) => answer !== undefined)
  if (isLast) return
  await (group.awaits === "first" ? reads[0] : Promise.all(reads))
}

function note(
  answer: Promise<unknown> | undefined,
  answers: Promise<unknown>[],
): Promise<unknown> | undefined {
  if (answer === undefined) return undefined
  answers.push(answer)
  answer.catch(() => {}) // looked at when the transaction has ended
  return answer
}

function perform(request: Request, tx: WriteTransaction): Promise<unknown> | undefined {
  switch (request.kind) {
    case "get":
      return tx.get(request.store, request.key)
    case "getAll":
      return tx.getAll(request.store, request.range, request.limit)
    case "delete":
      return void tx.delete(request.store, request.key)
  }
  const record = structuredCopy(request.record)
  try {
    if (request.kind === "add") return tx.add(record)
    if (request.kind === "put") return void tx.put(request.store, record)
    return void tx.insert(request.store, record)
  } finally {
    record.list.push(-1) // it was handed over as it had been before
  }
}

/** Both databases are asked the same, so what one is handed must not be touched by the other. */
function structuredCopy<T extends { readonly list: number[] }>(record: T): T {
  return { ...record, list: [...record.list] }
}

async function outcome(answer: Promise<unknown>): Promise<unknown> {
  try {
    return { value: await answer }
  } catch {
    return "failed"
  }
}

function nameOf(reason: unknown): string {
  if (reason instanceof Thrown) return `thrown behind ${reason.message}`
  if (reason instanceof Exists) return "exists"
  return reason instanceof HeadwaterError ? reason.code : `unexpected: ${String(reason)}`
}
