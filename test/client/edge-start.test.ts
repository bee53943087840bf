import { beforeAll, describe, expect, test } from "vitest"
import type { StreamPath } from "../../shared/ids.ts"
import { START } from "../../shared/offset.ts"
import {
  A,
  ALL,
  AT_EDGE,
  COUNT,
  COUNTED,
  events,
  LATEST,
  NAME,
  noted,
  POISON,
  type Stage,
  staged,
  whole,
} from "./many-events.ts"
import { stageEdge } from "./staged-edge.ts"
import { stageDevice } from "./view-stage.ts"

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
