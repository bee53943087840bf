import { describe, expect, test } from "vitest"
import { START } from "../../shared/offset.ts"
import {
  A,
  ALL,
  AT_EDGE,
  COUNT,
  COUNTED,
  LATEST,
  NAME,
  type Stage,
  staged,
  textsOf,
  whole,
} from "./many-events.ts"
import { settle } from "./view-stage.ts"

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
