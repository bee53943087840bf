import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"

const STEPS = ["connect", "view", "query"] as const
const RAW_STEPS = ["open", "read", "parse", "insert"] as const

/**
 * A later visit to a device that has everything: connect, open the view, one query; raw: read the values, parse them,
 * insert them by one prepared statement, one query.
 */
export async function measureStart(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const count of stage.quick ? [10_000] : [10_000, 100_000])
    figures.push(...(await measureCount(stage, count)))
  return figures
}

async function measureCount(stage: Stage, count: number): Promise<Figure[]> {
  const path = await stage.filled(count)
  const place = { edge: stage.edge, path, account: "ours" }
  const sides = await stage.withBrowser(async (newPage) => {
    const first = await newPage()
    await first.evaluate(([at, n]) => bench.ours.catchUp(at, n), [place, count] as const)
    await first.evaluate(([name, n]) => bench.raw.store(name, n), ["raw", count] as const)
    await first.close()
    return alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const steps = await page.evaluate((name) => bench.raw.secondStart(name), "raw")
        await page.close()
        return steps
      },
      async ours() {
        const page = await newPage()
        const steps = await page.evaluate((at) => bench.ours.secondStart(at), place)
        await page.close()
        return steps
      },
    })
  })
  const title = `second start with ${count.toLocaleString("en")} events stored`
  const step = (name: string, side: string) =>
    figureOf(sides, name, { what: `${title}: ${side} ${name}`, unit: "ms" })
  return [
    figureOf(sides, "total", { what: title, unit: "ms" }),
    ...STEPS.map((name) => step(name, "our")),
    ...RAW_STEPS.map((name) => step(name, "raw")),
  ]
}
