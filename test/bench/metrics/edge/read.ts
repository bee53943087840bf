import { fillSide } from "../../edge/fill-side.ts"
import { type Figure, figureOf } from "../../figure.ts"
import type { Stage } from "../../stage.ts"

const MB = 1_000_000

/** All of a long stream, page after page, from one client; raw: the stored rows streamed in one answer. */
export async function measureEdgeRead(stage: Stage): Promise<Figure[]> {
  const { http, alternate } = await stage.pair()
  const path = stage.fresh("read")
  const batches = stage.quick ? 50 : 410
  const filled = new Set<string>()
  const sides = await alternate(stage.rounds, async ({ side, name }) => {
    if (!filled.has(name)) {
      await fillSide(http, side, path, batches)
      await side.readAll(path) // the first one finds cold code and a cold file
      filled.add(name)
    }
    const start = performance.now()
    const bytes = await side.readAll(path)
    return { rate: bytes / MB / ((performance.now() - start) / 1_000) }
  })
  return [
    figureOf(sides, "rate", {
      what: `edge: catch-up reads of ${stage.quick ? 8 : 64} MB`,
      unit: "MB/s",
      target: { atLeast: 150 },
    }),
  ]
}
