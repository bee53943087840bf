import { openDB } from "idb"
import { snapshotsName } from "../../../client/disk/idb-snapshots.ts"
import { connect, type View } from "../../../client/index.ts"
import { databaseName } from "../../../client/port.ts"
import { openViewState } from "../../../client/state/open-view-state.ts"
import { loadSqlite } from "../../../client/state/sqlite.ts"
import type { StreamPath } from "../../../shared/ids.ts"
import { viewData } from "../../../shared/view/definition.ts"
import { type Burst, pause, timeBurst, timeEach, turn, WARM_UP_TURNS, wallClock } from "./clock.ts"
import {
  COUNT,
  eventText,
  type Item,
  items,
  itemView,
  NEWEST,
  otherItemView,
  someItems,
  someTurns,
} from "./items.ts"
import { type Opened, open, type Place, whenLive, whenStatus } from "./open.ts"

let opened: (Opened & { readonly view: View }) | undefined
const arrivals = new Map<number, number>()

function whenCount(view: View, count: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = view.live<{ count: number }>(
      COUNT,
      [],
      ([row]) => {
        if ((row?.count ?? 0) < count) return
        stop()
        resolve()
      },
      reject,
    )
  })
}

/** The view's state without rows, and messages for it. */
async function emptyState() {
  const sqlite = await loadSqlite()
  const state = openViewState(sqlite.open(), {
    name: "items",
    view: viewData(itemView),
    streams: { items: "bench" },
    skips: [],
  })
  const stream = "bench" as StreamPath // it is one
  const batch = (count: number, from: number) => ({
    stream,
    messages: someItems(count, from).map((item) => JSON.parse(eventText(item)) as unknown),
  })
  return { state, batch }
}

/** Our side of each metric, as the driver calls it on the page. */
export const ours = {
  /** @param depth How much of the client takes part. */
  async appendEach(place: Place, count: number, depth: "log" | "view" | "live"): Promise<number[]> {
    const { client, stream } = await open(place)
    if (depth !== "live") await client.pause()
    if (depth !== "log") {
      const view = await client.view(itemView, { items: place.path })
      view.live(NEWEST, [], () => {})
    }
    if (depth === "live") await whenLive(client, place.path)
    const all = someItems(count)
    const times = await timeEach(count, (i) => stream.append("item.added", all[i] as Item)) // i counts below its length
    await client.close()
    return times
  },

  /** Some turns of the page, one after the other; all of one turn not awaited one by one. */
  async appendTurns(place: Place, turns: number, perTurn: number, depth: "log" | "view"): Promise<Burst> {
    const { client, stream } = await open(place)
    await client.pause()
    if (depth === "view") {
      const view = await client.view(itemView, { items: place.path })
      view.live(NEWEST, [], () => {})
    }
    const append = (all: readonly Item[]) => Promise.all(all.map((item) => stream.append("item.added", item)))
    for (const turn of someTurns(WARM_UP_TURNS, 1)) await append(turn)
    const burst = await timeBurst(someTurns(turns, perTurn), append)
    await client.close()
    return burst
  },

  /** From nothing on this device to a live query that shows all of the stream. */
  async catchUp(place: Place, count: number): Promise<number> {
    const start = performance.now()
    const { client } = await open(place)
    const view = await client.view(itemView, { items: place.path })
    await whenCount(view, count)
    const ms = performance.now() - start
    await whenLive(client, place.path)
    await client.close()
    return ms
  },

  /** A first visit that reads everything, until this device has written the rows down. */
  async store(place: Place, rows: number): Promise<void> {
    const { client } = await open(place)
    const view = await client.view(itemView, { items: place.path })
    await whenCount(view, rows)
    await whenLive(client, place.path)
    const snapshots = snapshotsName(databaseName(place))
    for (let isThere = false; !isThere; ) {
      await pause(100)
      const known = await indexedDB.databases()
      if (!known.some(({ name }) => name === snapshots)) continue
      const db = await openDB(snapshots)
      isThere = (await db.count("images")) > 0
      db.close()
    }
    await client.close()
  },

  /** Other rows of the same log, beside those that answer a query in each turn of the page. */
  async rebuild(place: Place, count: number): Promise<Record<string, number>> {
    const { client } = await open(place)
    const view = await client.view(itemView, { items: place.path })
    await whenCount(view, count)
    await client.pause()
    let [isOver, blockedMs] = [false, 0]
    const asking = (async () => {
      while (!isOver) {
        const asked = performance.now()
        await view.query(NEWEST)
        blockedMs = Math.max(blockedMs, performance.now() - asked)
        await turn()
      }
    })()
    await pause(50)
    blockedMs = 0
    const start = performance.now()
    await view.redefine(otherItemView, { items: place.path })
    const rebuild = performance.now() - start
    isOver = true
    await asking
    await client.close()
    return { rebuild, blockedMs }
  },

  /** Events that are parsed already, folded into a table that is empty. */
  async fold(count: number): Promise<number> {
    const { state, batch } = await emptyState()
    const batches = Array.from({ length: count / 1_000 }, (_, at) => batch(1_000, 1_000 * at))
    const start = performance.now()
    for (const one of batches) state.rebase([one], [])
    const ms = performance.now() - start
    state.close()
    return ms
  },

  /** 1,000 events that the edge has put before 1,000 of this device, in a table of `rows` rows. */
  async rebase(rows: number): Promise<number> {
    const { state, batch } = await emptyState()
    state.rebase([batch(rows, 0)], [])
    const pending = batch(1_000, rows + 1_000)
    state.addPending(pending.stream, pending.messages)
    const confirmed = batch(1_000, rows)
    const start = performance.now()
    state.rebase([confirmed], [pending])
    const ms = performance.now() - start
    state.close()
    return ms
  },

  /** A page that shows the newest rows of a view, live. It stays so. */
  async show(place: Place): Promise<void> {
    const { client } = await open(place)
    const view = await client.view(itemView, { items: place.path })
    await new Promise<void>((resolve) => view.live(NEWEST, [], () => resolve()))
    opened = { client, stream: client.stream(items, place.path), view }
  },

  async secondStart(place: Place): Promise<Record<string, number>> {
    const start = performance.now()
    const { client } = await open(place)
    const connected = performance.now()
    const view = await client.view(itemView, { items: place.path })
    const viewed = performance.now()
    const rows = await view.query(NEWEST)
    const end = performance.now()
    if (rows.length !== 50) throw new Error(`The view shows ${rows.length} rows.`)
    await client.close()
    const steps = { connect: connected - start, view: viewed - connected, query: end - viewed }
    return { ...steps, opened: end - connected, total: end - start }
  },

  /** From nothing on this device to the first answer, by rows that the edge has written down. */
  async firstStart(place: Place, edgeView: string): Promise<Record<string, number>> {
    const start = performance.now()
    const client = await connect({ edge: place.edge, account: place.account })
    const connected = performance.now()
    const view = await client.view(itemView, { items: place.path }, { edgeView })
    const viewed = performance.now()
    const rows = await view.query(NEWEST)
    const end = performance.now()
    await whenStatus(client, ({ views: [status] }) => status?.edgeStart?.kind === "begun")
    if (rows.length !== 50) throw new Error(`The view shows ${rows.length} rows.`)
    await client.close()
    return { connect: connected - start, view: viewed - connected, query: end - viewed, total: end - start }
  },

  /** From an append to the live query of the same page, over a table of `rows` rows that the edge has given. */
  async optimistic(place: Place, rows: number, count: number): Promise<number[]> {
    const { client, stream } = await open(place)
    const view = await client.view(itemView, { items: place.path })
    await whenCount(view, rows)
    await client.pause()
    let seen: (n: number) => void = () => {}
    const stop = view.live<Item>(NEWEST, [], ([row]) => seen(row?.n ?? -1))
    await pause(100)
    const times = await timeEach(count, (i) => {
      const n = rows + i
      const shown = new Promise<void>((resolve) => {
        seen = (newest) => newest === n && resolve()
      })
      void stream.append("item.added", { n, at: 0, text: `item ${n}` })
      return shown
    })
    stop()
    await client.close()
    return times
  },

  /** From the end of a pause to the edge's word for every event that was appended in it. */
  async upload(place: Place, count: number): Promise<number> {
    const { client, stream } = await open(place)
    await client.pause()
    const receipts = await Promise.all(someItems(count).map((item) => stream.append("item.added", item)))
    const start = performance.now()
    await client.resume()
    await Promise.all(receipts.map(({ confirmed }) => confirmed))
    const ms = performance.now() - start
    await client.close()
    return ms
  },

  async listen(place: Place): Promise<void> {
    const { client, stream } = await open(place)
    const view = await client.view(itemView, { items: place.path })
    await whenLive(client, place.path)
    view.live<Item>(NEWEST, [], (rows) => {
      const now = wallClock()
      for (const { n, at } of rows) if (!arrivals.has(n)) arrivals.set(n, now - at)
    })
    opened = { client, stream, view }
  },

  async send(from: number, count: number, gapMs: number): Promise<void> {
    for (const item of someItems(count, from)) {
      void opened?.stream.append("item.added", { ...item, at: wallClock() })
      await pause(gapMs)
    }
  },

  /** How long the items of this span took to this page's live query. */
  arrivals: (from: number, count: number): number[] =>
    [...arrivals].filter(([n]) => n >= from && n < from + count).map(([, ms]) => ms),
}
