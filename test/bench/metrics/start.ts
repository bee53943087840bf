import { alternate, type Figure, figureOf } from "../figure.ts"
import { pageHeapOf } from "../memory.ts"
import type { Stage } from "../stage.ts"

const PAGE_MB_MAX = 5
const STEPS = ["connect", "view", "query"] as const
const RAW_STEPS = ["sqlite", "read", "load", "ask"] as const

/** Events of the log, and rows that they come to. */
type Size = { readonly events: number; readonly rows: number }

const QUICK: readonly Size[] = [{ events: 10_000, rows: 10_000 }]
const WHOLE: readonly Size[] = [
  { events: 10_000, rows: 10_000 },
  { events: 100_000, rows: 100_000 },
  { events: 1_000_000, rows: 100_000 },
]

/**
 * A later visit to a device that has everything: connect, open the view, one query; raw: start SQLite, read the image
 * of a database with the same rows, load it, one query.
 */
export async function measureStart(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const size of stage.quick ? QUICK : WHOLE) figures.push(...(await measureSize(stage, size)))
  return figures
}

async function measureSize(stage: Stage, { events, rows }: Size): Promise<Figure[]> {
  const path = await stage.filled(events, rows)
  const place = { edge: stage.edge, path, account: "ours" }
  const sides = await stage.withBrowser(async (newPage, context) => {
    const first = await newPage()
    await first.evaluate(([at, n]) => bench.ours.store(at, n), [place, rows] as const)
    await first.evaluate(([name, n]) => bench.raw.storeImage(name, n), ["raw", rows] as const)
    await first.close()
    return alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const heap = await pageHeapOf(page, context)
        const steps = await page.evaluate((name) => bench.raw.secondStart(name), "raw")
        await page.close()
        return { ...steps, heap }
      },
      async ours() {
        const page = await newPage()
        const steps = await page.evaluate((at) => bench.ours.secondStart(at), place)
        await page.close()
        const shown = await newPage()
        await shown.evaluate((at) => bench.ours.show(at), place)
        const heap = await pageHeapOf(shown, context)
        await shown.close()
        return { ...steps, heap }
      },
    })
  })
  const [many, few] = [events.toLocaleString("en"), rows.toLocaleString("en")]
  const title = `second start with ${many} events and ${few} rows stored`
  const step = (name: string, side: string) =>
    figureOf(sides, name, { what: `${title}: ${side} ${name}`, unit: "ms" })
  return [
    figureOf(sides, "total", { what: title, unit: "ms" }),
    figureOf(sides, "opened", { what: `${title}, behind connect`, unit: "ms", target: { timesRaw: 1.5 } }),
    figureOf(sides, "heap", {
      what: `heap of a page that shows 50 of ${few} rows (raw: an empty page)`,
      unit: "MB",
      target: { overRaw: PAGE_MB_MAX },
    }),
    ...STEPS.map((name) => step(name, "our")),
    ...RAW_STEPS.map((name) => step(name, "raw")),
  ]
}
