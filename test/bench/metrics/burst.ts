import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"

const COUNT = 10_000

/** How the 10,000 events come, and how much of the client takes part. */
const BURSTS = [
  { what: "10,000 appends in one turn", turns: 1, depth: "log", timesRaw: 1.4 },
  { what: "10 turns of 1,000 appends, each awaited", turns: 10, depth: "log", timesRaw: 1.2 },
  { what: "10,000 appends in one turn, view and live query", turns: 1, depth: "view", timesRaw: undefined },
] as const

/** How long a page may be blocked by us, beyond what making the events and sending them off takes anyone. */
const BLOCK_MS_MAX = 50

/**
 * 10,000 events, paused, until all of them are flushed; raw: one message for each turn, one value in one strict
 * transaction. Both sides make their events while the clock runs.
 */
export async function measureBurst(stage: Stage): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const burst of BURSTS) figures.push(...(await measureOne(stage, burst)))
  return figures
}

async function measureOne(stage: Stage, burst: (typeof BURSTS)[number]): Promise<Figure[]> {
  const { what, turns, depth, timesRaw } = burst
  const sampleOf = ({ ms, blockMs, appendMs }: { ms: number; blockMs: number; appendMs: number }) => ({
    rate: (COUNT / ms) * 1_000,
    blockMs,
    appendMs,
    diskMs: ms - appendMs,
  })
  const sides = await stage.withBrowser((newPage) =>
    alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const args = [stage.fresh("raw"), turns, COUNT / turns] as const
        const times = await page.evaluate(([name, n, per]) => bench.raw.appendTurns(name, n, per), args)
        await page.close()
        return sampleOf(times)
      },
      async ours() {
        const page = await newPage()
        const place = { edge: stage.edge, path: stage.fresh("burst"), account: stage.fresh("account") }
        const args = [place, turns, COUNT / turns, depth] as const
        const times = await page.evaluate(
          ([at, n, per, part]) => bench.ours.appendTurns(at, n, per, part),
          args,
        )
        await page.close()
        return sampleOf(times)
      },
    }),
  )
  const target = timesRaw === undefined ? {} : { target: { timesRaw } }
  return [
    figureOf(sides, "rate", { what: `${what}, until flushed`, unit: "events/s", ...target }),
    figureOf(sides, "blockMs", {
      what: `${what}: longest block of the page`,
      unit: "ms",
      target: { overRaw: BLOCK_MS_MAX },
    }),
    figureOf(sides, "appendMs", { what: `${what}: of it to make and append them`, unit: "ms" }),
    figureOf(sides, "diskMs", { what: `${what}: of it from there to the disk`, unit: "ms" }),
  ]
}
