import { alternate, type Figure, figureOf, type Sample } from "../figure.ts"
import { memoryOf } from "../memory.ts"
import type { Stage, Visit } from "../stage.ts"

const OPEN_MS_MAX = 20
const MEMORY_MB_MAX = 20

/** What `firstAppend` says of a start. */
const STEPS = ["total", "connect", "append"] as const

/**
 * What the length of a log costs before it is read: the start of a client up to its first append, and what page and
 * thread hold. The raw side is ours too, with a shorter log: a tenth of the events, and none.
 */
export async function measureLargeLog(stage: Stage): Promise<Figure[]> {
  const [small, large] = stage.quick ? [10_000, 100_000] : [100_000, 1_000_000]
  return stage.withDisk((visitSmall) =>
    stage.withDisk(async (visitLarge) => {
      await store(stage, visitSmall, small)
      await store(stage, visitLarge, large)
      return [
        ...(await measureStart(
          stage,
          { count: small, visit: visitSmall },
          { count: large, visit: visitLarge },
        )),
        ...(await measureMemory(stage, visitLarge, large)),
      ]
    }),
  )
}

type Stored = { readonly count: number; readonly visit: Visit }

/** A first visit that stores the log. */
async function store(stage: Stage, visit: Visit, count: number): Promise<void> {
  const place = placeOf(stage, await stage.filled(count))
  const tail = await stage.tail(place.path)
  await visit(async (newPage) => {
    const page = await newPage()
    await page.evaluate(([at, to]) => bench.log.catchUp(at, to), [place, tail] as const)
  })
}

async function measureStart(stage: Stage, small: Stored, large: Stored): Promise<Figure[]> {
  const start = ({ count, visit }: Stored): Promise<Sample> =>
    visit(async (newPage) => {
      const page = await newPage()
      return page.evaluate((at) => bench.log.firstAppend(at), placeOf(stage, `filled/${count}`))
    })
  const sides = await alternate(stage.rounds, { raw: () => start(small), ours: () => start(large) })
  const [few, many] = [small.count.toLocaleString("en"), large.count.toLocaleString("en")]
  const title = `start of the browser with ${many} events stored (raw: ${few}), until the first append is flushed`
  return STEPS.map((step) =>
    figureOf(sides, step, {
      what: step === "total" ? title : `${title}: ${step}`,
      unit: "ms",
      ...(step === "total" ? { target: { overRaw: OPEN_MS_MAX } } : {}),
    }),
  )
}

async function measureMemory(stage: Stage, visit: Visit, count: number): Promise<Figure[]> {
  const measure = (path: string): Promise<Sample> =>
    visit(async (newPage, context) => {
      const page = await newPage()
      await page.evaluate((at) => bench.log.firstAppend(at), placeOf(stage, path))
      return memoryOf(page, context)
    })
  const sides = await alternate(stage.rounds, {
    raw: () => measure("filled/none"),
    ours: () => measure(`filled/${count}`),
  })
  const title = `memory with ${count.toLocaleString("en")} events stored (raw: none)`
  const target = { target: { overRaw: MEMORY_MB_MAX } }
  return [
    figureOf(sides, "heaps", { what: `${title}: heaps of page and thread`, unit: "MB", ...target }),
    figureOf(sides, "pss", {
      what: `${title}: the renderers' share of the machine's`,
      unit: "MB",
      ...target,
    }),
  ]
}

const placeOf = (stage: Stage, path: string) => ({ edge: stage.edge, path, account: "ours" })
