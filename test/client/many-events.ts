import type { AskedView } from "../../client/port.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { stageEdge } from "./staged-edge.ts"
import { type StagedEvent, stageDevice } from "./view-stage.ts"

/* Many events of few keys, a view of the newest of each, and an edge that has both: what new devices begin from. */

export const A = "boards/a" as StreamPath
export const B = "boards/b" as StreamPath
export const NAME = "views/latest" as StreamPath
export const COUNT = LIMITS.edgeSnapshotMessagesMin + 1_000
export const KEYS = 100
export const ALL = "SELECT key, n, times FROM latest ORDER BY key"

export const LATEST: AskedView = {
  name: "latest",
  view: {
    latest: {
      tables: [
        "CREATE TABLE latest (key TEXT PRIMARY KEY, n INTEGER CHECK (n < 1000000), times INTEGER)",
        "CREATE VIRTUAL TABLE found USING fts5(word)",
      ],
      on: {
        noted: [
          "INSERT INTO latest VALUES (:key, :n, 1) ON CONFLICT DO UPDATE SET n = excluded.n, times = times + 1",
          "INSERT INTO found SELECT :key WHERE :n < 10",
        ],
      },
    },
  },
  streams: { latest: A },
}
export const AT_EDGE: AskedView = { ...LATEST, edgeView: NAME }
export const COUNTED: AskedView = {
  name: "counted",
  view: {
    counted: {
      tables: ["CREATE TABLE counted (n INTEGER PRIMARY KEY)"],
      on: { noted: ["INSERT OR IGNORE INTO counted VALUES (:n)"] },
    },
  },
  streams: { counted: A },
}

export const SEEN = {
  tables: ["CREATE TABLE seen (key TEXT PRIMARY KEY)"],
  on: { noted: ["INSERT OR IGNORE INTO seen VALUES (:key)"] },
}

let ids = 0
export const noted = (n: number): StagedEvent => ({
  id: `e${++ids}`,
  type: "noted",
  data: { key: `k${n % KEYS}`, n },
})
export const events = Array.from({ length: COUNT }, (_, n) => noted(n))
export const POISON = noted(2_000_000)

export type Stage = Awaited<ReturnType<typeof staged>>

/** An edge that has the events and the view, and a device that has nothing. */
export async function staged(more: readonly StagedEvent[] = []) {
  const origin = stageDevice()
  await origin.grow(A, [...events, ...more])
  const edge = stageEdge(origin)
  const { views } = origin.visit()
  const view = await views.open(LATEST)
  return {
    origin,
    edge,
    device: stageDevice(),
    rows: views.get(view).query(ALL),
    hash: await views.hash(view),
  }
}

export const headOf = async ({ device }: Stage) => (await device.log.standing(A)).head
export const whole = (stage: Stage) => stage.origin.offsets(A).at(-1)!

export async function textsOf(
  log: { pages: Stage["device"]["log"]["pages"] },
  upTo: Offset,
): Promise<string> {
  const texts: string[] = []
  for await (const pages of log.pages(A, { after: START, upTo })) texts.push(...pages.map(({ text }) => text))
  return texts.join(",")
}
