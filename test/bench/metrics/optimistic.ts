import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"
import { quantile } from "../statistics.ts"

/**
 * From an append to the live query of the same page (the newest 50 of a table); raw: a message to a thread that
 * inserts the row, reads the newest 50 and answers with them.
 */
export async function measureOptimistic(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const rows of stage.quick ? [1_000] : [1_000, 100_000])
    figures.push(...(await measureRows(stage, rows)))
  return figures
}

async function measureRows(stage: Stage, rows: number): Promise<Figure[]> {
  const count = stage.quick ? 100 : 300
  const path = await stage.filled(rows)
  const sampleOf = (times: readonly number[]) => ({ p50: quantile(times, 0.5), p99: quantile(times, 0.99) })
  const sides = await stage.withBrowser((newPage) =>
    alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const times = await page.evaluate(([size, n]) => bench.raw.optimistic(size, n), [
          rows,
          count,
        ] as const)
        await page.close()
        return sampleOf(times)
      },
      async ours() {
        const page = await newPage()
        const place = { edge: stage.edge, path, account: stage.fresh("account") }
        const times = await page.evaluate(([at, size, n]) => bench.ours.optimistic(at, size, n), [
          place,
          rows,
          count,
        ] as const)
        await page.close()
        return sampleOf(times)
      },
    }),
  )
  const title = `append to the page's own live query, ${rows.toLocaleString("en")} rows`
  return [
    figureOf(sides, "p50", { what: `${title}: p50`, unit: "ms" }),
    figureOf(sides, "p99", { what: `${title}: p99`, unit: "ms" }),
  ]
}
