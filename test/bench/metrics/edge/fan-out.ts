import { batchesOf } from "../../edge/pair.ts"
import { SocketLoad, withSockets } from "../../edge/socket-load.ts"
import { type Figure, figureOf, type Sides, type Target } from "../../figure.ts"
import type { Stage } from "../../stage.ts"
import { quantile } from "../../statistics.ts"

const MANY = 1_000
const FEW = 200
const WARM_UP = 3

/**
 * One event from one socket to many others; raw: the row is inserted and a bare loop sends it to each. From the
 * sending on, so that the append is in it.
 */
export async function measureEdgeFanOut(stage: Stage): Promise<Figure[]> {
  const target: Target = { timesRaw: 1.3 }
  const [many, few] = [await measureTails(stage, MANY), await measureTails(stage, FEW)]
  return [
    figureOf(many, "last", { what: "edge: one event to 1,000 sockets, the last has it", unit: "ms", target }),
    figureOf(many, "p50", { what: "edge: one event to 1,000 sockets: p50 of them", unit: "ms" }),
    figureOf(few, "last", { what: "edge: one event to 200 sockets, the last has it", unit: "ms" }),
    figureOf(few, "p50", { what: "edge: one event to 200 sockets: p50 of them", unit: "ms" }),
  ]
}

async function measureTails(stage: Stage, tails: number): Promise<Sides> {
  const { alternate } = await stage.pair()
  const batches = batchesOf(1, WARM_UP + (stage.quick ? 5 : 20))
  return alternate(stage.rounds, async ({ side }) => {
    const path = stage.fresh("fan-out")
    await side.create(path)
    return withSockets(side, path, tails, async (sockets) => {
      const source = await SocketLoad.open(side, path)
      const lasts: number[] = []
      const middles: number[] = []
      for (const [seq, events] of batches.entries()) {
        const frame = side.frame(events, { name: "source", seq })
        const heard = Promise.all(sockets.map((socket) => socket.news()))
        const start = performance.now()
        await source.ask(frame)
        const times = (await heard).map((at) => at - start)
        if (seq < WARM_UP) continue
        lasts.push(Math.max(...times))
        middles.push(quantile(times, 0.5))
      }
      source.close()
      return { last: quantile(lasts, 0.5), p50: quantile(middles, 0.5) }
    })
  })
}
