import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"

const TIMES_RAW_MAX = 1.5

/**
 * Of a stream that this device knows nothing of, from its opening until the disk has it all; no view. Raw: the same
 * bytes fetched, and written in values of 1,000 events. Both sides fetch while the clock runs; neither starts a thread.
 */
export async function measureLogCatchUp(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const count of stage.quick ? [10_000] : [10_000, 100_000])
    figures.push(...(await measureCount(stage, count)))
  return figures
}

async function measureCount(stage: Stage, count: number): Promise<Figure[]> {
  const path = await stage.filled(count)
  const url = stage.urlOf(path)
  const tail = await stage.tail(path)
  const sides = await alternate(stage.rounds, {
    raw: () =>
      stage.withPage((page) =>
        page.evaluate(([from, name, n]) => bench.raw.catchUpLog(from, name, n), [url, "raw", count] as const),
      ),
    ours: () =>
      stage.withPage(async (page) => {
        const place = { edge: stage.edge, path, account: "ours" }
        return { total: await page.evaluate(([at, to]) => bench.log.catchUp(at, to), [place, tail] as const) }
      }),
  })
  const title = `catch-up of ${count.toLocaleString("en")} events to the disk, no view`
  return [
    figureOf(sides, "total", { what: title, unit: "ms", target: { timesRaw: TIMES_RAW_MAX } }),
    figureOf(sides, "fetch", { what: `${title}: raw fetch`, unit: "ms" }),
    figureOf(sides, "store", { what: `${title}: raw store`, unit: "ms" }),
  ]
}
