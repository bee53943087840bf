import { type Client, connect, type Stream, type View } from "../../../client/index.ts"
import { longestBlock, pause, timeEach, wallClock } from "./clock.ts"
import { COUNT, type Item, items, itemView, NEWEST, someItems } from "./items.ts"

export type Place = { readonly edge: string; readonly path: string; readonly account: string }

type Opened = { readonly client: Client; readonly stream: Stream<(typeof items)["events"]> }

let opened: (Opened & { readonly view: View }) | undefined
const arrivals = new Map<number, number>()

async function open({ edge, path, account }: Place): Promise<Opened> {
  const client = await connect({ edge, account })
  return { client, stream: client.stream(items, path) }
}

function whenStatus(client: Client, path: string, connection: string): Promise<void> {
  return new Promise((resolve) => {
    const stop = client.onStatus(({ streams }) => {
      if (streams[path]?.connection !== connection) return
      resolve()
      queueMicrotask(() => stop()) // the first call comes before there is a way to stop
    })
  })
}

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
    if (depth === "live") await whenStatus(client, place.path, "live")
    const all = someItems(count)
    const times = await timeEach(count, (i) => stream.append("item.added", all[i] as Item)) // i counts below its length
    await client.close()
    return times
  },

  async appendAll(
    place: Place,
    count: number,
    depth: "log" | "view",
  ): Promise<{ ms: number; blockMs: number }> {
    const { client, stream } = await open(place)
    await client.pause()
    if (depth === "view") {
      const view = await client.view(itemView, { items: place.path })
      view.live(NEWEST, [], () => {})
    }
    await stream.pending() // the stream is open
    const all = someItems(count)
    const result = await longestBlock(() => Promise.all(all.map((item) => stream.append("item.added", item))))
    await client.close()
    return result
  },

  /** From nothing on this device to a live query that shows all of the stream. */
  async catchUp(place: Place, count: number): Promise<number> {
    const start = performance.now()
    const { client } = await open(place)
    const view = await client.view(itemView, { items: place.path })
    await whenCount(view, count)
    const ms = performance.now() - start
    await whenStatus(client, place.path, "live")
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
    await whenStatus(client, place.path, "live")
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
