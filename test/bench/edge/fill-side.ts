import type { HttpLoad } from "./http-load.ts"
import { batchesOf } from "./pair.ts"
import type { Side } from "./side.ts"

const EVENTS_PER_BATCH = 1_000

/** Makes a stream of so many batches of 1,000 events. @returns where its last batch begins */
export async function fillSide(http: HttpLoad, side: Side, path: string, batches: number): Promise<string> {
  const [events = []] = batchesOf(EVENTS_PER_BATCH, 1)
  const append = (seq: number) =>
    http.ask(side.urlOf(path), { method: "POST", ...side.post(events, { name: "filler", seq }) })
  await side.create(path)
  for (let seq = 0; seq < batches - 1; seq++) await append(seq)
  const beforeLast = await side.tail(path)
  await append(batches - 1)
  return beforeLast
}
