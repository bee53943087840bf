import { batchesOf, type SideUnderLoad } from "../../edge/pair.ts"
import { SocketLoad } from "../../edge/socket-load.ts"
import { type Figure, figureOf, type Sample, type Target } from "../../figure.ts"
import type { Stage } from "../../stage.ts"
import { quantile } from "../../statistics.ts"

const WRITER = "writer"
const WARM_UP = 20

/** One event after the other from one client, each awaited; raw: the row is inserted and acknowledged. */
export async function measureEdgeAppend(stage: Stage): Promise<Figure[]> {
  const { http, alternate } = await stage.pair()
  const batches = batchesOf(1, WARM_UP + (stage.quick ? 100 : 500))

  const socketSides = await alternate(stage.rounds, async ({ side }) => {
    const path = await freshStream(stage, side)
    const socket = await SocketLoad.open(side, path)
    const frames = batches.map((events, seq) => side.frame(events, { name: WRITER, seq }))
    const sample = await timeEach(frames, (frame) => socket.ask(frame))
    socket.close()
    return sample
  })

  const httpSides = await alternate(stage.rounds, async ({ side }) => {
    const path = await freshStream(stage, side)
    const posts = batches.map((events, seq) => side.post(events, { name: WRITER, seq }))
    return timeEach(posts, (post) => http.ask(side.urlOf(path), { method: "POST", ...post }))
  })

  const target: Target = { timesRaw: 1.3 }
  const [overSocket, overHttp] = ["edge: WebSocket append and ack", "edge: HTTP append"]
  return [
    figureOf(socketSides, "p50", { what: `${overSocket}: p50`, unit: "ms", target }),
    figureOf(socketSides, "p99", { what: `${overSocket}: p99`, unit: "ms" }),
    figureOf(httpSides, "p50", { what: `${overHttp}: p50`, unit: "ms", target }),
    figureOf(httpSides, "p99", { what: `${overHttp}: p99`, unit: "ms" }),
    figureOf(httpSides, "rate", { what: overHttp, unit: "events/s" }),
  ]
}

async function freshStream(stage: Stage, side: SideUnderLoad["side"]): Promise<string> {
  const path = stage.fresh("append")
  await side.create(path)
  return path
}

async function timeEach<T>(items: readonly T[], act: (item: T) => Promise<unknown>): Promise<Sample> {
  for (const item of items.slice(0, WARM_UP)) await act(item)
  const times: number[] = []
  for (const item of items.slice(WARM_UP)) {
    const start = performance.now()
    await act(item)
    times.push(performance.now() - start)
  }
  const total = times.reduce((sum, ms) => sum + ms, 0)
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99), rate: (times.length / total) * 1_000 }
}
