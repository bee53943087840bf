import { decodeEdgeFrame, encodeAppendFrame, SUBPROTOCOL } from "../../../shared/frames.ts"
import { type Burst, pause, timeBurst, timeEach, WARM_UP_TURNS, wallClock } from "./clock.ts"
import { eventText, type Item, someItems, someTurns } from "./items.ts"
import type { Operations } from "./raw-thread.ts"

/** The page's end of the raw thread: one message each way for each operation. */
class RawThread {
  readonly #worker = new Worker(new URL("./raw-thread.ts", import.meta.url), { type: "module" })
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(reason: unknown): void }>()
  #ids = 0

  constructor() {
    this.#worker.onmessage = ({ data: { id, value, error } }) => {
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(value)
      else waiting?.reject(new Error(error))
    }
  }

  run<Name extends keyof Operations>(
    name: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<Awaited<ReturnType<Operations[Name]>>> {
    const id = ++this.#ids
    this.#worker.postMessage({ id, name, args })
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject }) // the thread answers its type
    })
  }
}

const thread = new RawThread()
const arrivals: number[] = []
let socket: WebSocket | undefined

/** The raw side of each metric, as the driver calls it on the page. */
export const raw = {
  async appendEach(name: string, count: number): Promise<number[]> {
    await thread.run("openLog", name)
    const items = someItems(count)
    return timeEach(count, (i) => thread.run("add", eventText(items[i] as Item))) // i counts below its length
  },

  /** All of one turn leaves as one message and becomes one value. */
  async appendTurns(name: string, turns: number, perTurn: number): Promise<Burst> {
    await thread.run("openLog", name)
    let collected: string[] = []
    let added: Promise<unknown> = Promise.resolve()
    const flush = () => {
      added = thread.run("add", collected.join(","))
      collected = []
    }
    const append = (item: Item) => {
      if (collected.push(eventText(item)) === 1) queueMicrotask(flush)
    }
    const appendAll = async (all: readonly Item[]) => {
      for (const item of all) append(item)
      await Promise.resolve() // behind the flush
      await added
    }
    for (const turn of someTurns(WARM_UP_TURNS, 1)) await appendAll(turn)
    return timeBurst(someTurns(turns, perTurn), appendAll)
  },

  catchUp: (url: string, name: string) => thread.run("catchUp", url, name),

  catchUpLog: (url: string, name: string, count: number) => thread.run("catchUpLog", url, name, count),

  async store(name: string, count: number): Promise<void> {
    await thread.run("openLog", name)
    for (let from = 0; from < count; from += 1_000) {
      await thread.run("add", `[${someItems(1_000, from).map(eventText).join(",")}]`)
    }
  },

  storeImage: (name: string, count: number) => thread.run("storeImage", name, someItems(count)),

  rebuild: (name: string) => thread.run("rebuild", name),

  /** Rows by one prepared statement, in one transaction. */
  async insert(count: number): Promise<number> {
    await thread.run("openRows")
    return thread.run("timeInserts", someItems(count))
  },

  firstStart: (url: string) => thread.run("firstStart", url),

  secondStart: (name: string) => thread.run("secondStart", name),

  async optimistic(rows: number, count: number): Promise<number[]> {
    await thread.run("openRows")
    await thread.run("insertAll", someItems(rows))
    const items = someItems(count, rows)
    return timeEach(count, (i) => thread.run("insertAndRead", items[i] as Item)) // as above
  },

  /** The same batches that a client would make, one after the other. */
  async upload(url: string, count: number, perBatch: number): Promise<number> {
    const bodies: string[] = []
    for (let from = 0; from < count; from += perBatch) {
      bodies.push(
        `[${someItems(Math.min(perBatch, count - from), from)
          .map(eventText)
          .join(",")}]`,
      )
    }
    const start = performance.now()
    for (const body of bodies) {
      const answer = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      })
      if (!answer.ok) throw new Error(`The edge answered ${answer.status}.`)
    }
    return performance.now() - start
  },

  async listen(url: string): Promise<void> {
    const opened = new WebSocket(`${url.replace(/^http/, "ws")}?offset=now&live=ws`, [SUBPROTOCOL])
    socket = opened
    await new Promise((resolve, reject) => {
      opened.onopen = resolve
      opened.onerror = reject
    })
    opened.onmessage = ({ data }) => {
      const now = wallClock()
      const frame = decodeEdgeFrame(data)
      if (!frame.ok || frame.value.t !== "data") return
      const events = JSON.parse(`[${frame.value.body}]`) as { data: Item }[]
      for (const event of events) arrivals.push(now - event.data.at)
    }
  },

  async send(from: number, count: number, gapMs: number): Promise<void> {
    for (const item of someItems(count, from)) {
      const body = eventText({ ...item, at: wallClock() })
      socket?.send(encodeAppendFrame({ t: "append", id: item.n, body }))
      await pause(gapMs)
    }
  },

  arrivals: (): number[] => arrivals,
}
