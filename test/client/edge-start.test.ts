import { createHash } from "node:crypto"
import { beforeAll, describe, expect, test } from "vitest"
import type { AskedView } from "../../client/port.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { joinHashes, textHash } from "../../shared/view/state-hash.ts"
import { stageEdge } from "./staged-edge.ts"
import { type StagedEvent, settle, stageDevice } from "./view-stage.ts"

const A = "boards/a" as StreamPath
const B = "boards/b" as StreamPath
const NAME = "views/latest" as StreamPath
const COUNT = LIMITS.edgeSnapshotMessagesMin + 1_000
const KEYS = 100
const ALL = "SELECT key, n, times FROM latest ORDER BY key"

const LATEST: AskedView = {
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
const AT_EDGE: AskedView = { ...LATEST, edgeView: NAME }
const COUNTED: AskedView = {
  name: "counted",
  view: {
    counted: {
      tables: ["CREATE TABLE counted (n INTEGER PRIMARY KEY)"],
      on: { noted: ["INSERT OR IGNORE INTO counted VALUES (:n)"] },
    },
  },
  streams: { counted: A },
}

const SEEN = {
  tables: ["CREATE TABLE seen (key TEXT PRIMARY KEY)"],
  on: { noted: ["INSERT OR IGNORE INTO seen VALUES (:key)"] },
}

let ids = 0
const noted = (n: number): StagedEvent => ({
  id: `e${++ids}`,
  type: "noted",
  data: { key: `k${n % KEYS}`, n },
})
const events = Array.from({ length: COUNT }, (_, n) => noted(n))
const POISON = noted(2_000_000)

type Stage = Awaited<ReturnType<typeof staged>>

/** An edge that has the events and the view, and a device that has nothing. */
async function staged(more: readonly StagedEvent[] = []) {
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

const headOf = async ({ device }: Stage) => (await device.log.standing(A)).head
const whole = (stage: Stage) => stage.origin.offsets(A).at(-1)!

async function textsOf(log: { pages: Stage["device"]["log"]["pages"] }, upTo: Offset): Promise<string> {
  const texts: string[] = []
  for await (const pages of log.pages(A, { after: START, upTo })) texts.push(...pages.map(({ text }) => text))
  return texts.join(",")
}

describe("[VIEW45] a device without the log", () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await staged()
    await stage.edge.writeDown(NAME, LATEST)
  })

  test("begins with the edge's rows, which have the hash of the log, and reads nothing of it", async () => {
    const { edge, rows, hash } = stage
    const device = stageDevice()
    const { views } = device.visit(edge)
    const view = await views.open(AT_EDGE)
    expect(views.get(view).query(ALL)).toEqual(rows)
    expect(await views.hash(view)).toEqual(hash)
    expect(views.statuses()).toEqual([{ name: "latest", building: undefined, edgeStart: { kind: "begun" } }])
    expect(await device.log.standing(A)).toEqual({ head: whole(stage), absentUpTo: whole(stage) })
    expect(edge.asked.pages).toBe(0)
  })

  test("folds what comes since, as if it had folded all of it", async () => {
    const { edge, origin } = await staged()
    await edge.writeDown(NAME, LATEST)
    const device = stageDevice()
    const { views, replica } = device.visit(edge)
    const view = await views.open(AT_EDGE)
    const other = origin.visit()
    const all = await other.views.open(LATEST)
    const page = await origin.grow(A, [noted(3), noted(COUNT)])
    replica(A).take(page)
    other.replica(A).take(page)
    expect(views.get(view).query(ALL)).toEqual(other.views.get(all).query(ALL))
    expect(await views.hash(view)).toEqual(await other.views.hash(all))
  })

  test("keeps the rows: the next visit asks nobody", async () => {
    const { edge, rows } = stage
    const device = stageDevice()
    device.visit(edge).views.open(AT_EDGE)
    await expect.poll(() => device.kept.size).toBe(1)
    const { views } = device.visit()
    const view = await views.open(AT_EDGE)
    expect(views.get(view).query(ALL)).toEqual(rows)
    expect(views.statuses()).toMatchObject([{ edgeStart: undefined }])
  })

  test("begins with the edge's rows again when its own were given up, and when it ended before it kept them", async () => {
    const { edge, rows } = stage
    const device = stageDevice()
    await device.visit(edge).views.open(AT_EDGE)
    device.kept.clear()
    const { views } = device.visit(edge)
    const view = await views.open(AT_EDGE)
    expect(views.statuses()).toMatchObject([{ edgeStart: { kind: "begun" } }])
    expect(views.get(view).query(ALL)).toEqual(rows)
  })

  test("has a source stand still where it does at the edge", async () => {
    const poisoned = await staged([POISON, noted(1)])
    await poisoned.edge.writeDown(NAME, LATEST)
    const { views } = poisoned.device.visit(poisoned.edge)
    const view = await views.open(AT_EDGE)
    expect(views.halts()).toMatchObject([{ source: "latest", stream: A, eventId: POISON.id }])
    expect(views.halts()[0]?.offset).toBe(poisoned.origin.offsets(A)[COUNT + 1])
    expect(views.get(view).query(ALL)).toEqual(poisoned.rows)
    expect(await views.hash(view)).toEqual(poisoned.hash)
  })

  test("goes ahead from what it has of the log, if that is little", async () => {
    const { edge, origin, rows } = stage
    const device = stageDevice()
    await device.grow(A, events.slice(0, 500))
    const { views } = device.visit(edge)
    const view = await views.open(AT_EDGE)
    expect(views.statuses()).toMatchObject([{ edgeStart: { kind: "begun" } }])
    expect(views.get(view).query(ALL)).toEqual(rows)
    const held = (await device.log.pageBehind(A, START))!
    expect([held.absent, held.next]).toEqual([undefined, origin.offsets(A)[500]])
  })

  test("takes along streams that are open already, and views of them that need the log", async () => {
    const { edge, rows } = stage
    const device = stageDevice()
    const { views, openStream, replica } = device.visit(edge)
    await openStream(A)
    const counted = await views.open(COUNTED)
    expect(views.get(counted).query("SELECT count(*) AS n FROM counted")).toEqual([{ n: 0 }])
    const view = await views.open(AT_EDGE)
    expect(replica(A).head).toBe(whole(stage))
    expect(views.get(view).query(ALL)).toEqual(rows)
    await expect
      .poll(() => views.get(counted).query("SELECT count(*) AS n FROM counted"))
      .toEqual([{ n: COUNT }])
  })

  test("can be given another definition that the edge has as well", async () => {
    const { edge } = stage
    await edge.writeDown("views/counted", COUNTED)
    const { views } = stageDevice().visit(edge)
    const view = await views.open(AT_EDGE)
    const before = edge.asked.pages
    await views.redefine(view, { ...COUNTED, edgeView: "views/counted" as StreamPath })
    expect(views.get(view).query("SELECT count(*) AS n FROM counted")).toEqual([{ n: COUNT }])
    expect(edge.asked.pages).toBe(before)
  })
})

describe("[VIEW45] a log of which the edge keeps the end alone", () => {
  test("is begun with rows however few messages are lacking, and however many rows there are", async () => {
    const origin = stageDevice()
    await origin.grow(A, events.slice(0, 30))
    const edge = stageEdge(origin)
    await edge.writeDown(NAME, LATEST)
    const begun = async () => {
      const { views } = stageDevice().visit(edge)
      await views.open(AT_EDGE)
      return views.statuses()[0]?.edgeStart?.kind
    }
    expect(await begun()).toBe("not-begun")
    edge.earliest.set(A, origin.offsets(A)[20]!)
    expect(await begun()).toBe("begun")
  })
})

describe("[VIEW46] a device takes the log", () => {
  let stage: Stage
  beforeAll(async () => {
    stage = await staged()
    await stage.edge.writeDown(NAME, LATEST)
  })

  /** Opens the view, which is then made of nothing: the stage has no sync. */
  async function whyNot(asked: AskedView, device = stageDevice(), edge = stage.edge): Promise<string> {
    const { views } = device.visit(edge)
    await views.open(asked)
    const [status] = views.statuses()
    expect((await device.log.standing(A)).absentUpTo).toBe(START)
    return status?.edgeStart?.kind === "not-begun" ? status.edgeStart.why : "it has begun"
  }

  test("when it lacks little of it", async () => {
    const device = stageDevice()
    await device.grow(A, events)
    expect(await whyNot(AT_EDGE, device)).toMatch(/lacks 0 messages; the snapshot has 110 rows/)
    const some = stageDevice()
    await some.grow(A, events.slice(0, COUNT - LIMITS.edgeSnapshotMessagesMin + 1))
    expect(await whyNot(AT_EDGE, some)).toMatch(/lacks 4999 messages/)
  })

  test("when the rows are more than the messages", async () => {
    const tall = structuredClone(stage.edge.kept.get(NAME)!)
    const rows = COUNT + 1
    const manifest = { ...tall.manifest, tables: { latest: { ...tall.manifest.tables.latest!, rows } } }
    stage.edge.kept.set("views/tall", { ...tall, manifest })
    expect(await whyNot({ ...AT_EDGE, edgeView: "views/tall" as StreamPath })).toMatch(/has 6001 rows/)
  })

  test("when the edge has no such view, another definition, other streams or other events passed over", async () => {
    const { edge } = stage
    expect(await whyNot({ ...AT_EDGE, edgeView: B })).toMatch(/no snapshot of a view of this name/)
    expect(await whyNot({ ...COUNTED, edgeView: NAME })).toMatch(/another definition, or other streams/)
    expect(await whyNot({ ...AT_EDGE, streams: { latest: B } })).toMatch(/another definition, or other/)
    await edge.writeDown("views/skipping", LATEST, {}, [{ source: "latest", event: "e1" }])
    const skipping = { ...AT_EDGE, edgeView: "views/skipping" as StreamPath }
    expect(await whyNot(skipping)).toMatch(/passes over other events/)
  })

  test("when the rows are not those of the hash", async () => {
    const { manifest, texts } = stage.edge.kept.get(NAME)!
    for (const [table, text] of texts) {
      const changed = new Map(texts).set(table, text.replace(/i[0-9]+/, "i77"))
      stage.edge.kept.set("views/lying", { manifest, texts: changed })
      const lying = { ...AT_EDGE, edgeView: "views/lying" as StreamPath }
      expect(await whyNot(lying), table).toMatch(/not those of the hash/)
    }
  })

  test("when the rows have the hash, and are none of this view", async () => {
    const { manifest } = stage.edge.kept.get(NAME)!
    const digest = async (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest())
    for (const text of ["i1,n,n", "t6B,i2000000,n", "x", "t6B,i1,n\nt6B,i1,n"]) {
      const hash = await textHash(text, digest)
      const hashes = { ...manifest.hash.tables, latest: hash }
      const lie = {
        ...manifest,
        hash: await joinHashes(hashes, digest),
        tables: { ...manifest.tables, latest: { rows: 1, bytes: text.length, hash } },
      }
      const texts = new Map(stage.edge.kept.get(NAME)!.texts).set("latest", text)
      stage.edge.kept.set("views/odd", { manifest: lie, texts })
      expect(await whyNot({ ...AT_EDGE, edgeView: "views/odd" as StreamPath }), text).toMatch(
        /are not those of the hash|are none of this view/,
      )
    }
  })

  test("when the edge cannot be asked, or gives no whole answer", async () => {
    const edge = stageEdge(stage.origin)
    edge.trouble.answer = { kind: "failed", error: { code: "unreachable", message: "Nobody answers." } }
    expect(await whyNot(AT_EDGE, stageDevice(), edge)).toBe("Nobody answers.")
  })

  test("for a pattern, whose streams it takes as they come", async () => {
    expect(await whyNot({ ...AT_EDGE, streams: { latest: "boards/*" } }).catch(String)).toMatch(
      /event_stream/,
    )
    const on = { noted: ["INSERT OR IGNORE INTO latest VALUES (:event_stream, 1, 1)"] }
    const grouped = { latest: { ...LATEST.view.latest!, on } }
    const asked = { ...AT_EDGE, view: grouped, streams: { latest: "boards/*" } }
    expect(await whyNot(asked)).toMatch(/A view of patterns/)
  })

  test("when events that it has sent may lie in what it would pass over", async () => {
    const device = stageDevice()
    await device.grow(A, events.slice(0, 10))
    const text = JSON.stringify(noted(5))
    const [key] = await device.log.append(A, [{ text, count: 1, bytes: text.length }], "strict")
    const { record } = await device.log.open(A, 0 as never, "device" as never)
    const inFlight = { producer: record.producer, epoch: 1, seq: 0, keys: [key!] }
    const term = await device.log.claim()
    const sent = { ...record, epoch: 1, nextSeq: 1, inFlight }
    await device.log.save(term, "strict", { page: undefined, confirmed: [], rejected: [], record: sent })
    expect(await whyNot(AT_EDGE, device)).toMatch(/cannot go on from the edge's places/)
    expect(await headOf({ ...stage, device })).toBe(stage.origin.offsets(A)[10])
  })

  test("when something waits for the edge, which may have been sent by an older life of this disk", async () => {
    const device = stageDevice()
    const text = JSON.stringify(noted(5))
    await device.log.append(A, [{ text, count: 1, bytes: text.length }], "strict")
    expect(await whyNot(AT_EDGE, device)).toMatch(/cannot go on from the edge's places/)
  })

  test("when its log is another than the edge's", async () => {
    const device = stageDevice()
    await device.grow(
      A,
      [...events, ...events].map((_, n) => noted(n + 1)),
    )
    await device.grow(B, [])
    const two: AskedView = {
      ...LATEST,
      view: { ...LATEST.view, seen: SEEN },
      streams: { latest: A, seen: B },
    }
    await stage.origin.grow(B, events)
    await stage.edge.writeDown("views/two", two)
    expect(await whyNot({ ...two, edgeView: "views/two" as StreamPath }, device)).toMatch(/cannot go on/)
  })
})

describe("[VIEW47] what is absent", () => {
  const begun = async (stage: Stage) => {
    await stage.edge.writeDown(NAME, LATEST)
    const visit = stage.device.visit(stage.edge)
    const view = await visit.views.open(AT_EDGE)
    expect(visit.views.statuses()).toMatchObject([{ edgeStart: { kind: "begun" } }])
    return { ...visit, view }
  }

  test("is read from the edge when a reader comes to it, page by page, and is here then", async () => {
    const stage = await staged()
    const { whole: log } = await begun(stage)
    const all = await textsOf(stage.origin.log, whole(stage))
    expect(await textsOf(log, whole(stage))).toBe(all)
    expect(stage.edge.asked.pages).toBe(Math.ceil(COUNT / 1_000))
    expect(await textsOf(stage.device.log, whole(stage))).toBe(all)
    expect(await stage.device.log.standing(A)).toEqual({ head: whole(stage), absentUpTo: START })
  })

  test("is read on from where that was interrupted", async () => {
    const stage = await staged()
    const { whole: log } = await begun(stage)
    let read = 0
    for await (const _ of log.pages(A, { after: START, upTo: whole(stage) })) if (++read === 3) break
    expect(stage.edge.asked.pages).toBe(3)
    const other = stage.device.visit(stage.edge).whole
    expect(await textsOf(other, whole(stage))).toBe(await textsOf(stage.origin.log, whole(stage)))
    expect(stage.edge.asked.pages).toBe(Math.ceil(COUNT / 1_000))
  })

  test("is read once for two who come to it together, and by two tabs without harm", async () => {
    const stage = await staged()
    const { whole: one } = await begun(stage)
    const two = stage.device.visit(stage.edge).whole
    const all = await textsOf(stage.origin.log, whole(stage))
    expect(await Promise.all([one, one, two].map((log) => textsOf(log, whole(stage))))).toEqual([
      all,
      all,
      all,
    ])
    expect(stage.edge.asked.pages).toBeLessThanOrEqual(2 * Math.ceil(COUNT / 1_000))
  })

  test("is read for a view of another definition, for the past and for a fold anew", async () => {
    const stage = await staged()
    const { views, view } = await begun(stage)
    const past = await views.past(view, { [A]: stage.origin.offsets(A)[250]! })
    expect(views.get(past).query(ALL)[0]).toEqual({ key: "k0", n: 200, times: 3 })
    expect(await views.verify(view)).toMatchObject({ isEqual: true })
    const counted = await views.open(COUNTED)
    expect(views.get(counted).query("SELECT count(*) AS n FROM counted")).toEqual([{ n: COUNT }])
  })

  test("keeps a view from being opened while the edge cannot be asked, and says so", async () => {
    const stage = await staged()
    const { views, view } = await begun(stage)
    stage.edge.trouble.answer = { kind: "failed", error: { code: "unreachable", message: "Nobody answers." } }
    await expect(views.open(COUNTED)).rejects.toMatchObject({ code: "unreachable" })
    await expect(views.redefine(view, COUNTED)).rejects.toMatchObject({ code: "unreachable" })
    expect(views.get(view).query(ALL)).toEqual(stage.rows)
    stage.edge.trouble.answer = undefined
    await views.redefine(view, COUNTED)
    expect(views.get(view).query("SELECT count(*) AS n FROM counted")).toEqual([{ n: COUNT }])
  })

  test("that the edge does not have any more is told, and what is here stays", async () => {
    const stage = await staged()
    const { views, view } = await begun(stage)
    stage.edge.trouble.answer = { kind: "gone" }
    await expect(views.open(COUNTED)).rejects.toMatchObject({ code: "diverged" })
    await settle()
    expect(views.get(view).query(ALL)).toEqual(stage.rows)
  })
})
