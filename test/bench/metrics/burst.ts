import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"

const DEPTHS = { log: "log only, paused", view: "view and live query, paused" } as const
type Depth = keyof typeof DEPTHS

/**
 * 10,000 events appended in one turn, until all of them are flushed; raw: one message for the turn, one value in one
 * strict transaction.
 */
export async function measureBurst(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const depth of Object.keys(DEPTHS) as Depth[]) figures.push(...(await measureDepth(stage, depth)))
  return figures
}

async function measureDepth(stage: Stage, depth: Depth): Promise<Figure[]> {
  const count = 10_000
  const sides = await stage.withBrowser((newPage) =>
    alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const args = [stage.fresh("raw"), count] as const
        const { ms, blockMs } = await page.evaluate(([name, n]) => bench.raw.appendAll(name, n), args)
        await page.close()
        return { rate: (count / ms) * 1_000, blockMs }
      },
      async ours() {
        const page = await newPage()
        const place = { edge: stage.edge, path: stage.fresh("burst"), account: stage.fresh("account") }
        const { ms, blockMs } = await page.evaluate(([at, n, part]) => bench.ours.appendAll(at, n, part), [
          place,
          count,
          depth,
        ] as const)
        await page.close()
        return { rate: (count / ms) * 1_000, blockMs }
      },
    }),
  )
  const title = `10,000 appends in one turn, until flushed (${DEPTHS[depth]})`
  return [
    figureOf(sides, "rate", { what: title, unit: "events/s", target: { atLeast: 20_000 } }),
    figureOf(sides, "blockMs", { what: `${title}: longest block of the page`, unit: "ms" }),
  ]
}
