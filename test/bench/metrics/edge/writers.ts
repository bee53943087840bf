import { batchesOf } from "../../edge/pair.ts"
import type { Writer } from "../../edge/side.ts"
import { withSockets } from "../../edge/socket-load.ts"
import { type Figure, figureOf } from "../../figure.ts"
import type { Stage } from "../../stage.ts"

const WRITERS = 32
const WINDOW = 16
const EVENTS_PER_BATCH = 1_000

/** 32 producers append to one stream at once; raw: the rows are inserted, acknowledged and told to the others. */
export async function measureEdgeWriters(stage: Stage): Promise<Figure[]> {
  const count = stage.quick ? 20 : 100
  return [
    await overSockets(stage, count),
    await overHttp(stage, "edge: 32 writers over HTTP", 1, count, 5_000),
    await overHttp(
      stage,
      "edge: 32 writers over HTTP, batches of 1,000",
      EVENTS_PER_BATCH,
      stage.quick ? 2 : 8,
      100_000,
    ),
  ]
}

/** Each keeps a window of appends open, and hears what the 31 others append. */
async function overSockets(stage: Stage, count: number): Promise<Figure> {
  const { alternate } = await stage.pair()
  const batches = batchesOf(1, count)
  const sides = await alternate(stage.rounds, async ({ side }) => {
    const path = stage.fresh("writers")
    await side.create(path)
    return withSockets(side, path, WRITERS, async (sockets) => {
      const work = sockets.map((_, i) => batches.map((events, seq) => side.frame(events, writer(i, seq))))
      return rateOf(WRITERS * count, () =>
        Promise.all(sockets.map((socket, i) => socket.pipeline(work[i] ?? [], WINDOW))),
      )
    })
  })
  return figureOf(sides, "rate", {
    what: "edge: 32 writers over WebSockets, 16 appends open each",
    unit: "events/s",
    target: { atLeast: 5_000 },
  })
}

/** Each has one request open. Nobody listens. */
async function overHttp(
  stage: Stage,
  what: string,
  eventsPerBatch: number,
  count: number,
  atLeast: number,
): Promise<Figure> {
  const { http, alternate } = await stage.pair()
  const batches = batchesOf(eventsPerBatch, count)
  const sides = await alternate(stage.rounds, async ({ side }) => {
    const path = stage.fresh("writers")
    await side.create(path)
    const url = side.urlOf(path)
    const write = async (i: number) => {
      for (const [seq, events] of batches.entries()) {
        await http.ask(url, { method: "POST", ...side.post(events, writer(i, seq)) })
      }
    }
    return rateOf(WRITERS * count * eventsPerBatch, () =>
      Promise.all(Array.from({ length: WRITERS }, (_, i) => write(i))),
    )
  })
  return figureOf(sides, "rate", { what, unit: "events/s", target: { atLeast } })
}

function writer(i: number, seq: number): Writer {
  return { name: `writer-${i}`, seq }
}

async function rateOf(events: number, act: () => Promise<unknown>): Promise<{ rate: number }> {
  const start = performance.now()
  await act()
  return { rate: (events / (performance.now() - start)) * 1_000 }
}
