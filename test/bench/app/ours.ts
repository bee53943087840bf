import type { View } from "../../../client/index.ts"
import { type Burst, pause, timeBurst, timeEach, WARM_UP_TURNS, wallClock } from "./clock.ts"
import { COUNT, type Item, itemView, NEWEST, someItems, someTurns } from "./items.ts"
import { type Opened, open, type Place, whenLive } from "./open.ts"

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
