import { createHash } from "node:crypto"
import { beforeAll, describe, expect, test } from "vitest"
import type { AskedView } from "../../client/port.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import { joinHashes, textHash } from "../../shared/view/state-hash.ts"
import {
  A,
  AT_EDGE,
  B,
  COUNT,
  COUNTED,
  events,
  headOf,
  LATEST,
  NAME,
  noted,
  SEEN,
  type Stage,
  staged,
} from "./many-events.ts"
import { stageEdge } from "./staged-edge.ts"
import { stageDevice } from "./view-stage.ts"

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
