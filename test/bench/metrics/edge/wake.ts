import { fillSide } from "../../edge/fill-side.ts"
import type { SideUnderLoad } from "../../edge/pair.ts"
import { type Figure, figureOf, type Target } from "../../figure.ts"
import type { Stage } from "../../stage.ts"

/**
 * The first answer of a long stream after the runtime was killed and started again, its worker being loaded already:
 * what it is, and, after another restart, its last batch.
 */
export async function measureEdgeWake(stage: Stage): Promise<Figure[]> {
  const { http, alternate } = await stage.pair()
  const path = stage.fresh("wake")
  const batches = stage.quick ? 50 : 1_000
  const beforeLast = new Map<string, string>()

  async function firstAnswer({ side, restart }: SideUnderLoad, url: string, method: string): Promise<number> {
    await restart()
    await http.ask(side.healthUrl)
    const start = performance.now()
    await http.ask(url, { method })
    return performance.now() - start
  }

  const sides = await alternate(stage.rounds, async (at) => {
    const { side, name } = at
    const place = beforeLast.get(name) ?? (await fillSide(http, side, path, batches))
    beforeLast.set(name, place)
    return {
      head: await firstAnswer(at, side.urlOf(path), "HEAD"),
      last: await firstAnswer(at, side.urlAfter(path, place), "GET"),
    }
  })

  const target: Target = { overRaw: 50 }
  const title = `edge: first answer of a stream of ${(batches * 1_000).toLocaleString("en")} events that wakes`
  return [
    figureOf(sides, "head", { what: `${title}: HEAD`, unit: "ms", target }),
    figureOf(sides, "last", { what: `${title}: GET of the last 1,000`, unit: "ms", target }),
  ]
}
