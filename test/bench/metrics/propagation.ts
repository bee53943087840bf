import type { Page } from "playwright-core"
import { alternate, type Figure, figureOf, type Sample } from "../figure.ts"
import { createStream } from "../fill.ts"
import type { Stage } from "../stage.ts"
import { quantile } from "../statistics.ts"

const GAP_MS = 100
const SETTLE_MS = 500

/**
 * From an append in one browser to the live query of another, ten times a second; raw: an append frame on a bare
 * WebSocket of one page to the frame on that of the other, through the same edge.
 *
 * Both pages read the system's clock. Half of the events travel each way, so a difference between the clocks cancels.
 */
export async function measurePropagation(stage: Stage): Promise<Figure[]> {
  const count = stage.quick ? 20 : 50
  const sides = await alternate(stage.rounds, {
    raw: () => between(stage, (pages) => rawRound(stage, pages, count)),
    ours: () => between(stage, (pages) => ourRound(stage, pages, count)),
  })
  const title = "append to another client's live query, 10/s"
  return [
    figureOf(sides, "p50", { what: `${title}: p50`, unit: "ms", target: { atMost: 15 } }),
    figureOf(sides, "p99", { what: `${title}: p99`, unit: "ms" }),
  ]
}

type Pages = readonly [Page, Page]

function between(stage: Stage, act: (pages: Pages) => Promise<number[]>): Promise<Sample> {
  return stage.withPage((one) =>
    stage.withPage(async (other) => {
      const times = await act([one, other])
      return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
    }),
  )
}

async function rawRound(stage: Stage, pages: Pages, count: number): Promise<number[]> {
  const url = stage.urlOf(stage.fresh("propagation"))
  await createStream(url)
  for (const page of pages) await page.evaluate((at) => bench.raw.listen(at), url)
  for (const [i, page] of pages.entries()) {
    await page.evaluate(([from, n, gap]) => bench.raw.send(from, n, gap), [i * count, count, GAP_MS] as const)
  }
  await pages[0].waitForTimeout(SETTLE_MS)
  return complete(await Promise.all(pages.map((page) => page.evaluate(() => bench.raw.arrivals()))), count)
}

async function ourRound(stage: Stage, pages: Pages, count: number): Promise<number[]> {
  const place = { edge: stage.edge, path: stage.fresh("propagation"), account: "ours" }
  await createStream(stage.urlOf(place.path))
  for (const page of pages) await page.evaluate((at) => bench.ours.listen(at), place)
  for (const [i, page] of pages.entries()) {
    await page.evaluate(([from, n, gap]) => bench.ours.send(from, n, gap), [
      i * count,
      count,
      GAP_MS,
    ] as const)
  }
  await pages[0].waitForTimeout(SETTLE_MS)
  const arrivals = pages.map((page, i) =>
    page.evaluate(([from, n]) => bench.ours.arrivals(from, n), [(1 - i) * count, count] as const),
  )
  return complete(await Promise.all(arrivals), count)
}

function complete(arrivals: readonly number[][], count: number): number[] {
  for (const { length } of arrivals)
    if (length !== count) throw new Error(`${length} of ${count} events arrived.`)
  return arrivals.flat()
}
