import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"

const REBUILD_MS_MAX = 1_000
const BLOCKED_MS_MAX = 20
const REBASE_MS_MAX = 60
const FOLD_TIMES_RAW_MAX = 1.5

/**
 * Another definition over a whole log, while the old rows answer; raw: read the values, parse them, insert them by one
 * prepared statement. The fold alone; raw: the same rows inserted. And 1,000 pending events above 1,000 that the edge
 * has put before them.
 */
export async function measureView(stage: Stage): Promise<Figure[]> {
  const count = stage.quick ? 10_000 : 100_000
  const path = await stage.filled(count)
  const place = { edge: stage.edge, path, account: "ours" }
  return stage.withBrowser(async (newPage) => {
    const first = await newPage()
    await first.evaluate(([at, n]) => bench.ours.catchUp(at, n), [place, count] as const)
    await first.evaluate(([name, n]) => bench.raw.store(name, n), ["raw", count] as const)
    await first.close()
    const sides = await alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const steps = await page.evaluate((name) => bench.raw.rebuild(name), "raw")
        const fold = await page.evaluate((n) => bench.raw.insert(n), count)
        await page.close()
        return { ...steps, fold }
      },
      async ours() {
        const page = await newPage()
        const steps = await page.evaluate(([at, n]) => bench.ours.rebuild(at, n), [place, count] as const)
        const rebase = await page.evaluate((n) => bench.ours.rebase(n), count)
        const fold = await page.evaluate((n) => bench.ours.fold(n), count)
        await page.close()
        return { ...steps, rebase, fold }
      },
    })
    const title = `rebuild of ${count.toLocaleString("en")} events`
    return [
      figureOf(sides, "fold", {
        what: `fold of ${count.toLocaleString("en")} events into one table, raw: bound inserts`,
        unit: "ms",
        target: { timesRaw: FOLD_TIMES_RAW_MAX },
      }),
      figureOf(sides, "rebuild", { what: title, unit: "ms", target: { atMost: REBUILD_MS_MAX } }),
      figureOf(sides, "blockedMs", {
        what: `${title}: longest wait of a query`,
        unit: "ms",
        target: { atMost: BLOCKED_MS_MAX },
      }),
      figureOf(sides, "rebase", {
        what: `rebase of 1,000 pending over 1,000 confirmed events, ${count.toLocaleString("en")} rows`,
        unit: "ms",
        target: { atMost: REBASE_MS_MAX },
      }),
    ]
  })
}
