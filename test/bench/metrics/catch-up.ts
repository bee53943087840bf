import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"

const STEPS = ["sqlite", "fetch", "parse", "store", "insert"] as const

/**
 * From `connect` on a device that has nothing to a live query that shows every event; raw: the same bytes fetched,
 * parsed, stored in values of 1,000 events and inserted by one prepared statement.
 */
export async function measureCatchUp(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const count of stage.quick ? [10_000] : [10_000, 100_000])
    figures.push(...(await measureCount(stage, count)))
  return figures
}

async function measureCount(stage: Stage, count: number): Promise<Figure[]> {
  const path = await stage.filled(count)
  const sides = await alternate(stage.rounds, {
    raw: () =>
      stage.withPage((page) =>
        page.evaluate(([url, name]) => bench.raw.catchUp(url, name), [stage.urlOf(path), "raw"] as const),
      ),
    ours: () =>
      stage.withPage(async (page) => {
        const place = { edge: stage.edge, path, account: "ours" }
        return { total: await page.evaluate(([at, n]) => bench.ours.catchUp(at, n), [place, count] as const) }
      }),
  })
  const title = `catch-up of ${count.toLocaleString("en")} events to rows, first visit`
  const target = count === 100_000 ? { target: { atMost: 2_500 } } : {}
  return [
    figureOf(sides, "total", { what: title, unit: "ms", ...target }),
    ...STEPS.map((step) => figureOf(sides, step, { what: `${title}: raw ${step}`, unit: "ms" })),
  ]
}
