import { alternate, type Figure, figureOf, type Sample } from "../figure.ts"
import type { Stage } from "../stage.ts"
import { quantile } from "../statistics.ts"

const DEPTHS = {
  log: "append, awaited (log only, paused)",
  view: "append, awaited (view and live query, paused)",
  live: "append, awaited (view, live query, syncing)",
} as const
type Depth = keyof typeof DEPTHS

/** One event after the other, each awaited until it is flushed; raw: one strict transaction with one value each. */
export async function measureAppend(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const depth of Object.keys(DEPTHS) as Depth[]) figures.push(...(await measureDepth(stage, depth)))
  return figures
}

async function measureDepth(stage: Stage, depth: Depth): Promise<Figure[]> {
  const count = stage.quick ? 100 : 300
  const sides = await stage.withBrowser((newPage) =>
    alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const args = [stage.fresh("raw"), count] as const
        const times = await page.evaluate(([name, n]) => bench.raw.appendEach(name, n), args)
        await page.close()
        return sampleOf(times)
      },
      async ours() {
        const page = await newPage()
        const place = { edge: stage.edge, path: stage.fresh("append"), account: stage.fresh("account") }
        const times = await page.evaluate(([at, n, part]) => bench.ours.appendEach(at, n, part), [
          place,
          count,
          depth,
        ] as const)
        await page.close()
        return sampleOf(times)
      },
    }),
  )
  const target = depth === "log" ? { target: { timesRaw: 1.3 } } : {}
  return [
    figureOf(sides, "p50", { what: `${DEPTHS[depth]}: p50`, unit: "ms", ...target }),
    figureOf(sides, "p99", { what: `${DEPTHS[depth]}: p99`, unit: "ms" }),
  ]
}

function sampleOf(times: readonly number[]): Sample {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}
