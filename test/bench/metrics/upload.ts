import { LIMITS } from "../../../shared/limits.ts"
import { alternate, type Figure, figureOf } from "../figure.ts"
import { createStream } from "../fill.ts"
import type { Stage } from "../stage.ts"

const COUNT = 10_000

/** From the end of a pause to the confirmation of all that was appended in it; raw: the same batches as plain POSTs. */
export async function measureUpload(stage: Stage): Promise<Figure[]> {
  const sides = await stage.withBrowser((newPage) =>
    alternate(stage.rounds, {
      async raw() {
        const page = await newPage()
        const url = stage.urlOf(stage.fresh("upload"))
        await createStream(url)
        const ms = await page.evaluate(([to, count, perBatch]) => bench.raw.upload(to, count, perBatch), [
          url,
          COUNT,
          LIMITS.batchEventsMax,
        ] as const)
        await page.close()
        return { ms }
      },
      async ours() {
        const page = await newPage()
        const place = { edge: stage.edge, path: stage.fresh("upload"), account: stage.fresh("account") }
        await createStream(stage.urlOf(place.path))
        const ms = await page.evaluate(([at, count]) => bench.ours.upload(at, count), [place, COUNT] as const)
        await page.close()
        return { ms }
      },
    }),
  )
  return [
    figureOf(sides, "ms", { what: "upload of 10,000 events appended offline, until confirmed", unit: "ms" }),
  ]
}
