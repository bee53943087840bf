import { afterAll, beforeAll, expect, test } from "vitest"
import { decodeEdgeFrame, encodeAppendFrame, SUBPROTOCOL } from "../../shared/frames.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { socketReader, sseReader } from "../support/readers.ts"

/*
 * The edge is killed while idempotent producers append over both transports, and started again on the same
 * state. Each producer sends what was not acknowledged once more, as the same batch under the same number. Readers
 * come back from the last offset that they have seen.
 */

const KILLS = Number(process.env.HEADWATER_KILLS ?? 4)
const PRODUCERS_EACH = 2
const ACKS_BETWEEN_KILLS = 60
const PATIENCE_MS = 60_000 + KILLS * 10_000

/** `npm run test:faults` says how long a restart may take until the first answer. Other runs share their machine. */
const FIRST_ANSWER_MS_MAX = Number(process.env.HEADWATER_FIRST_ANSWER_MS ?? Number.POSITIVE_INFINITY)

let edge: TestEdge

beforeAll(async () => {
  edge = await startEdge()
}, PATIENCE_MS)

afterAll(() => edge.stop())

/** Sends one batch and resolves when it is acknowledged. Rejects when the connection is lost before. */
type Send = (producer: string, seq: number, batch: string) => Promise<void>

function overHttp(url: string): Send {
  return async (producer, seq, batch) => {
    const headers = { "producer-id": producer, "producer-epoch": "0", "producer-seq": String(seq) }
    const init = {
      method: "POST",
      body: `[${batch}]`,
      headers: { ...headers, "content-type": "application/json" },
    }
    const response = await fetch(url, init)
    await response.arrayBuffer()
    if (response.status >= 500) throw new Lost(`status ${response.status}`)
    expect([200, 204]).toContain(response.status)
  }
}

/** One socket for all batches, opened again when it is lost. */
function overSocket(url: string): Send {
  let socket: Promise<WebSocket> | undefined
  return async (producer, seq, batch) => {
    socket ??= openSocket(`${url.replace(/^http/, "ws")}?live=ws&offset=now`)
    try {
      await sendFrame(await socket, producer, seq, batch)
    } catch (error) {
      socket = undefined
      throw error
    }
  }
}

class Lost extends Error {}

function openSocket(url: string): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, SUBPROTOCOL)
    socket.addEventListener("open", () => resolve(socket))
    socket.addEventListener("error", () => reject(new Lost("the socket did not open")))
  })
}

function sendFrame(socket: WebSocket, producer: string, seq: number, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = new AbortController()
    const listen = (name: "message" | "close", act: (data: string) => void) =>
      socket.addEventListener(name, (event) => act("data" in event ? event.data : ""), {
        signal: done.signal,
      })
    listen("close", () => {
      done.abort()
      reject(new Lost("the socket closed"))
    })
    listen("message", (data) => {
      const frame = decodeEdgeFrame(data)
      if (!frame.ok || frame.value.t !== "reply" || frame.value.id !== seq) return
      done.abort()
      if ([200, 204].includes(frame.value.status)) resolve()
      else reject(new Error(`The edge answered ${data}`))
    })
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(encodeAppendFrame({ t: "append", id: seq, producer, epoch: 0, seq, body }))
    } else {
      done.abort()
      reject(new Lost("the socket is closed"))
    }
  })
}

/**
 * Appends batch after batch until told to stop, each until it is acknowledged. Answers how many it appended.
 */
async function produce(
  producer: string,
  send: Send,
  acknowledged: () => void,
  isOver: () => boolean,
): Promise<number> {
  let seq = 0
  while (!isOver()) {
    const batch = `{"producer":"${producer}","n":${seq * 2}},{"producer":"${producer}","n":${seq * 2 + 1}}`
    try {
      await send(producer, seq, batch)
      seq++
      acknowledged()
    } catch (error) {
      if (!(error instanceof Lost || error instanceof TypeError)) throw error // fetch fails with a TypeError
    }
  }
  return seq
}

test(`[EDGE11] of what was acknowledged nothing is lost or double, over ${KILLS} kills`, {
  timeout: PATIENCE_MS,
}, async () => {
  const url = `${edge.url}/v1/stream/faults/kill`
  await fetch(url, { method: "PUT", headers: { "content-type": "application/json" } })
  let acks = 0
  let isOver = false
  let progress: () => void = () => undefined
  const acknowledged = () => {
    acks++
    progress()
  }
  const names = Array.from({ length: PRODUCERS_EACH }, (_, n) => [`http-${n}`, `socket-${n}`]).flat()
  const producers = names.map((name) => {
    const send = name.startsWith("http") ? overHttp(url) : overSocket(url)
    return produce(name, send, acknowledged, () => isOver)
  })
  const reach = async (goal: number) => {
    while (acks < goal)
      await Promise.race([
        new Promise<void>((resolve) => {
          progress = resolve
        }),
        ...producers,
      ])
  }

  const readers = [socketReader(url), sseReader(url)]
  const firstAnswers: number[] = []
  for (let kill = 0; kill < KILLS; kill++) {
    await reach(acks + ACKS_BETWEEN_KILLS + (kill % ACKS_BETWEEN_KILLS))
    await edge.kill()
    firstAnswers.push(await msToFirstAnswer(url))
  }
  await reach(acks + ACKS_BETWEEN_KILLS)
  isOver = true
  const appended = await Promise.all(producers)

  const log = await readAll(url)
  for (const [at, name] of names.entries()) {
    const own = log.filter(({ producer }) => producer === name).map(({ n }) => n)
    expect(own).toEqual(Array.from({ length: (appended[at] ?? 0) * 2 }, (_, n) => n))
  }
  expect(log.length).toBe(appended.reduce((sum, batches) => sum + batches * 2, 0))
  for (const { kind, heard, returns, close } of readers) {
    await expect.poll(() => heard.length, { message: kind, timeout: PATIENCE_MS }).toBe(log.length)
    expect(heard).toEqual(log)
    expect(returns()).toBeGreaterThanOrEqual(KILLS)
    close()
  }
  const [median = 0, worst = 0] = [firstAnswers.sort((a, b) => a - b)[KILLS >> 1], firstAnswers.at(-1)]
  const figures = `first answer ${Math.round(median)} ms after a restart, ${Math.round(worst)} ms at the worst`
  console.log(`${KILLS} kills, ${acks} batches acknowledged, ${log.length} events: ${figures}`)
  expect(worst).toBeLessThan(FIRST_ANSWER_MS_MAX)
})

/** From the start of the process on: with its code, its state and the stream's object out of memory. */
async function msToFirstAnswer(url: string): Promise<number> {
  const begin = performance.now()
  await edge.restart()
  expect((await fetch(url, { method: "HEAD" })).status).toBe(200)
  return performance.now() - begin
}

async function readAll(url: string): Promise<{ producer: string; n: number }[]> {
  const all: { producer: string; n: number }[] = []
  for (let offset = "-1"; ; ) {
    const page = await fetch(`${url}?offset=${offset}`)
    all.push(...(await page.json()))
    offset = page.headers.get("stream-next-offset")!
    if (page.headers.get("stream-up-to-date") === "true") return all
  }
}
