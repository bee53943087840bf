import { fileURLToPath } from "node:url"
import { startEdge, type TestEdge } from "../../support/edge.ts"
import { alternate, type Sample, type Sides } from "../figure.ts"
import { eventOf } from "../fill.ts"
import { type HttpLoad, openHttpLoad } from "./http-load.ts"
import { ourSide, rawSide, type Side } from "./side.ts"

const RAW_PROGRAM = fileURLToPath(new URL("run-raw.ts", import.meta.url))

/** An edge of ours and the raw worker, both running. */
export type Pair = {
  readonly http: HttpLoad
  /** Measures both in turn. */
  alternate(rounds: number, measure: (bench: SideUnderLoad) => Promise<Sample>): Promise<Sides>
  close(): Promise<void>
}

export type SideUnderLoad = {
  readonly side: Side
  /** "raw" or "ours": for what a metric keeps of each. */
  readonly name: "raw" | "ours"
  /** Ends the runtime as an operator never would, and starts it again over the same state. */
  restart(): Promise<void>
}

/** Starts the raw worker beside an edge of ours, which stays its owner's. */
export async function openPair(ours: TestEdge): Promise<Pair> {
  const raw = await startEdge({ program: RAW_PROGRAM })
  const http = openHttpLoad()
  const sides = { raw: rawSide(raw.url, http), ours: ourSide(ours.url, http) }
  return {
    http,
    alternate: (rounds, measure) =>
      alternate(rounds, {
        raw: () => measure({ side: sides.raw, name: "raw", restart: raw.restart }),
        ours: () => measure({ side: sides.ours, name: "ours", restart: ours.restart }),
      }),
    async close() {
      http.close()
      await raw.stop()
    },
  }
}

const KINDS = 1_000

/** So many events of our clients' making. Making more than these would measure the making. */
const EVENTS: readonly string[] = Array.from({ length: KINDS }, (_, n) => JSON.stringify(eventOf(n)))

/** Batches of so many events each. */
export function batchesOf(eventsPerBatch: number, count: number): (readonly string[])[] {
  return Array.from({ length: count }, (_, batch) =>
    Array.from({ length: eventsPerBatch }, (_, i) => EVENTS[(batch * eventsPerBatch + i) % KINDS] ?? ""),
  )
}
