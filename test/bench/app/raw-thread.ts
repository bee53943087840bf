import { loadSqlite } from "../../../client/state/sqlite.ts"
import type { SqlDatabase, SqlStatement } from "../../../shared/sql.ts"
import { INSERT, type Item, NEWEST, TABLE } from "./items.ts"

/*
 * The raw operations: what a few lines against the same browser interfaces do, in a thread, with one message each way.
 * No log order, no outbox, no connection, no view: nobody could do the same work with less.
 */

const EVENTS_PER_VALUE = 1_000

let log: IDBDatabase
let rows: { readonly database: SqlDatabase; readonly insert: SqlStatement; readonly newest: SqlStatement }

export const OPERATIONS = {
  openLog,
  /** Adds one value in one transaction, flushed to the disk. */
  add: (value: unknown) => write("strict", value),
  openRows,
  /** Adds one row and answers the newest ones. */
  insertAndRead(item: Item) {
    rows.insert.run([item.n, item.at, item.text])
    return rows.newest.all([])
  },
  insertAll: (items: readonly Item[]) => insertAll(items),
  timeInserts(items: readonly Item[]): number {
    const start = performance.now()
    insertAll(items)
    return performance.now() - start
  },
  catchUp,
  catchUpLog,
  storeImage,
  firstStart,
  secondStart,
  rebuild,
}

export type Operations = typeof OPERATIONS

async function openLog(name: string): Promise<void> {
  log = await new Promise<IDBDatabase>((resolve, reject) => {
    const opening = indexedDB.open(name, 1)
    opening.onupgradeneeded = () => void opening.result.createObjectStore("log", { autoIncrement: true })
    opening.onsuccess = () => resolve(opening.result)
    opening.onerror = () => reject(opening.error)
  })
}

function write(durability: IDBTransactionDurability, value: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const tx = log.transaction("log", "readwrite", { durability })
    tx.objectStore("log").add(value)
    tx.commit()
    tx.oncomplete = () => resolve()
    tx.onabort = () => reject(tx.error)
  })
}

function readAll<T>(): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const request = log.transaction("log").objectStore("log").getAll()
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

async function openRows(): Promise<void> {
  const database = (await loadSqlite()).open()
  database.exec(TABLE)
  rows = { database, insert: database.prepare(INSERT), newest: database.prepare(NEWEST) }
}

function insertAll(items: readonly Item[]): void {
  rows.database.exec("BEGIN")
  for (const { n, at, text } of items) rows.insert.run([n, at, text])
  rows.database.exec("COMMIT")
}

/** From the edge's bytes to values on the disk and rows in a table; how long each step takes. */
async function catchUp(url: string, name: string): Promise<Record<string, number>> {
  await openLog(name)
  const watch = stopwatch()
  await openRows()
  watch.lap("sqlite")
  const bodies = await readPages(url)
  watch.lap("fetch")
  const messages = bodies.flatMap((body) => JSON.parse(body) as { data: Item }[])
  watch.lap("parse")
  await store(bodies, messages.length)
  watch.lap("store")
  insertAll(messages.map(({ data }) => data))
  watch.lap("insert")
  return watch.laps()
}

/** From the edge's bytes to values on the disk, nothing looked at. */
async function catchUpLog(url: string, name: string, count: number): Promise<Record<string, number>> {
  await openLog(name)
  const watch = stopwatch()
  const bodies = await readPages(url)
  watch.lap("fetch")
  await store(bodies, count)
  watch.lap("store")
  return watch.laps()
}

/** Writes what the edge gave in values of about 1,000 events, one transaction for each. */
async function store(bodies: readonly string[], count: number): Promise<void> {
  const all = bodies.join("")
  const size = Math.ceil(all.length / (count / EVENTS_PER_VALUE))
  for (let at = 0; at < all.length; at += size) await write("relaxed", all.slice(at, at + size))
}

async function readPages(url: string): Promise<string[]> {
  const bodies: string[] = []
  for (let offset = "-1", isWhole = false; !isWhole; ) {
    const response = await fetch(`${url}?offset=${offset}`)
    bodies.push(await response.text())
    offset = response.headers.get("stream-next-offset") ?? ""
    isWhole = response.headers.get("stream-up-to-date") === "true"
  }
  return bodies
}

/** Writes a table of so many rows as the image of its database. */
async function storeImage(name: string, items: readonly Item[]): Promise<void> {
  await openLog(name)
  const database = (await loadSqlite()).open()
  database.exec(TABLE)
  rows = { database, insert: database.prepare(INSERT), newest: database.prepare(NEWEST) }
  insertAll(items)
  await write("relaxed", database.image())
}

/** From the image of a database on the disk to the newest rows of its table. */
async function secondStart(name: string): Promise<Record<string, number>> {
  const watch = stopwatch()
  const [sqlite] = await Promise.all([loadSqlite(), openLog(name)])
  watch.lap("sqlite")
  const [image] = await readAll<Uint8Array<ArrayBuffer>>()
  watch.lap("read")
  const database = sqlite.open(image)
  watch.lap("load")
  database.prepare(NEWEST).all([])
  watch.lap("ask")
  const laps = watch.laps()
  return { ...laps, opened: laps.total }
}

/** From values on the disk, each an array of messages, to rows of a table. */
async function rebuild(name: string): Promise<Record<string, number>> {
  await Promise.all([openLog(name), openRows()])
  const watch = stopwatch()
  const values = await readAll<string>()
  const messages = values.flatMap((value) => JSON.parse(value) as { data: Item }[])
  insertAll(messages.map(({ data }) => data))
  watch.lap("rebuild")
  return watch.laps()
}

/** Rows that somebody else has made, put into a table, and one query. */
async function firstStart(url: string): Promise<Record<string, number>> {
  const watch = stopwatch()
  await openRows()
  watch.lap("sqlite")
  const text = await (await fetch(url)).text()
  watch.lap("fetch")
  const all = JSON.parse(text) as [number, number, string][]
  watch.lap("parse")
  rows.database.exec("BEGIN")
  for (const row of all) rows.insert.run(row)
  rows.database.exec("COMMIT")
  watch.lap("insert")
  rows.newest.all([])
  watch.lap("ask")
  return watch.laps()
}

function stopwatch() {
  const start = performance.now()
  const laps: Record<string, number> = {}
  let last = start
  return {
    lap(name: string): void {
      const now = performance.now()
      laps[name] = now - last
      last = now
    },
    laps: (): Record<string, number> & { total: number } => ({ ...laps, total: performance.now() - start }),
  }
}

self.onmessage = async ({ data: { id, name, args } }) => {
  const operation = OPERATIONS[name as keyof Operations] as (...args: unknown[]) => unknown // see `RawThread.run`
  try {
    self.postMessage({ id, value: await operation(...args) })
  } catch (error) {
    self.postMessage({ id, error: String(error) })
  }
}
