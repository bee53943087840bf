import { describe, expect, test } from "vitest"
import type { AskedView } from "../../client/port.ts"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { issueOffset, START } from "../../shared/offset.ts"
import { type StagedEvent, settle, stageDevice } from "./view-stage.ts"

const A = "boards/a" as StreamPath
const B = "boards/b" as StreamPath
const OTHER = "other/a" as StreamPath
const ALL = "SELECT stream, n FROM notes ORDER BY stream, n"

const NOTES: AskedView = {
  name: "notes",
  view: {
    notes: {
      tables: [
        "CREATE TABLE notes (stream TEXT, n INTEGER CHECK (n < 1000000), PRIMARY KEY (stream, n)) STRICT",
      ],
      on: { noted: ["INSERT INTO notes VALUES (:event_stream, :n)"] },
    },
  },
  streams: { notes: "boards/*" },
}
const OF_A: AskedView = { ...NOTES, streams: { notes: A } }

let ids = 0
const noted = (n: number): StagedEvent => ({ id: `e${++ids}`, type: "noted", data: { n } })
const many = (count: number, from = 0) => Array.from({ length: count }, (_, at) => noted(from + at))
const POISON = 2_000_000

describe("[VIEW36] a pattern", () => {
  test("follows the streams that the device has, and those that it comes to have", async () => {
    const device = stageDevice()
    await device.grow(A, [noted(1)])
    await device.grow(OTHER, [noted(9)])
    const { views, openStream, replica } = device.visit()
    const view = await views.open(NOTES)
    expect(views.get(view).query(ALL)).toEqual([{ stream: A, n: 1 }])
    expect(views.follow(B)).toBe(true)
    expect(views.follow(OTHER)).toBe(false)
    await device.grow(B, [noted(1), noted(2)])
    await openStream(B)
    await expect.poll(() => views.get(view).query(ALL)).toHaveLength(3)
    const page = await device.grow(B, [noted(3)])
    replica(B).take(page)
    expect(views.get(view).query(ALL).at(-1)).toEqual({ stream: B, n: 3 })
  })

  test("halts one stream and not the others", async () => {
    const device = stageDevice()
    await device.grow(A, [noted(1), noted(POISON), noted(2)])
    await device.grow(B, [noted(1), noted(2)])
    const { views } = device.visit()
    const view = await views.open(NOTES)
    expect(views.get(view).query(ALL)).toEqual([
      { stream: A, n: 1 },
      { stream: B, n: 1 },
      { stream: B, n: 2 },
    ])
    expect(views.halts()).toMatchObject([{ source: "notes", stream: A, offset: device.offsets(A)[2] }])
  })
})

describe("[VIEW37] a snapshot", () => {
  const saved = async () => {
    const device = stageDevice()
    await device.grow(A, many(LIMITS.snapshotMessagesMin))
    const first = device.visit()
    await first.views.open(OF_A)
    await device.pass(LIMITS.snapshotQuietMs)
    expect(device.seen.saves).toBe(1)
    return { device, first }
  }

  test("is taken when the view has rested, and the next visit folds only what came since", async () => {
    const { device, first } = await saved()
    first.replica(A).take(await device.grow(A, [noted(-1)]))
    first.views.close()
    const folded: number[] = []
    const pages = device.log.pages.bind(device.log)
    device.log.pages = async function* (stream, span) {
      for await (const found of pages(stream, span)) {
        folded.push(...found.map(({ text }) => text.split("},{").length))
        yield found
      }
    }
    const { views } = device.visit()
    const view = await views.open(OF_A)
    expect(folded).toEqual([1])
    expect(views.get(view).query("SELECT count(*) AS n, min(n) AS least FROM notes")).toEqual([
      { n: LIMITS.snapshotMessagesMin + 1, least: -1 },
    ])
  })

  test("has no pending event, and those are shown after it as before", async () => {
    const device = stageDevice()
    await device.grow(A, many(LIMITS.snapshotMessagesMin))
    const { views, append } = device.visit()
    const view = await views.open(OF_A)
    append(A, noted(-7))
    await device.pass(LIMITS.snapshotQuietMs)
    expect(device.seen.saves).toBe(1)
    const least = "SELECT min(n) AS least FROM notes"
    expect(views.get(view).query(least)).toEqual([{ least: -7 }])
    const next = device.visit()
    expect(next.views.get(await next.views.open(OF_A)).query(least)).toEqual([{ least: 0 }])
  })

  test("of a log that is no more is dropped, and the log folded", async () => {
    const { device } = await saved()
    const [[id, snapshot] = expect.fail("there is one")] = device.kept
    const other = device
      .offsets(A)
      .at(-1)!
      .replace(/.$/, (last) => (last === "0" ? "1" : "0"))
    device.kept.set(id, { ...snapshot, heads: { [A]: other as never } })
    const { views } = device.visit()
    const view = await views.open(OF_A)
    expect(device.kept.size).toBe(0)
    expect(views.get(view).query("SELECT count(*) AS n FROM notes")).toEqual([
      { n: LIMITS.snapshotMessagesMin },
    ])
  })

  test("of another definition, or of another stream, is not taken for this view's", async () => {
    const { device } = await saved()
    const { views } = device.visit()
    const on = { noted: ["INSERT INTO notes VALUES (:event_stream, -:n - 1)"] }
    const changed = { ...OF_A, view: { notes: { ...OF_A.view.notes!, on } } }
    const view = await views.open(changed)
    expect(views.get(view).query("SELECT max(n) AS greatest FROM notes")).toEqual([{ greatest: -1 }])
    const ofB = await views.open({ ...NOTES, streams: { notes: B } })
    expect(views.get(ofB).query(ALL)).toEqual([])
  })

  test("keeps what stands still where it stands", async () => {
    const device = stageDevice()
    await device.grow(A, [...many(LIMITS.snapshotMessagesMin), noted(POISON), noted(-1)])
    await device.visit().views.open(OF_A)
    await device.pass(LIMITS.snapshotQuietMs)
    const next = device.visit()
    const view = await next.views.open(OF_A)
    expect(next.views.halts()).toMatchObject([{ stream: A, offset: device.offsets(A).at(-2) }])
    next.replica(A).take(await device.grow(A, [noted(-2)]))
    expect(next.views.get(view).query("SELECT min(n) AS least FROM notes")).toEqual([{ least: 0 }])
  })

  test("is not taken by a tab that finds one as new", async () => {
    const { device } = await saved()
    const { views } = device.visit()
    await views.open(OF_A)
    await device.pass(LIMITS.snapshotMsInterval)
    expect(device.seen.saves).toBe(1)
  })
})

describe("[VIEW38] another definition", () => {
  const doubled = {
    ...OF_A,
    view: {
      notes: { ...OF_A.view.notes!, on: { noted: ["INSERT INTO notes VALUES (:event_stream, :n * 2)"] } },
    },
  }

  test("is folded beside the rows that are shown, in turns, and shown whole", async () => {
    const device = stageDevice()
    await device.grow(A, many(5_000))
    const { views } = device.visit()
    const view = await views.open(OF_A)
    const told: unknown[] = []
    const sum = "SELECT count(*) AS n, max(n) AS greatest FROM notes"
    const followed = views
      .get(view)
      .live(sum, [], { onRows: (rows) => told.push(rows[0]), onError: (error) => expect.fail(error.message) })
    followed.next()
    device.host.now = () => {
      device.seen.time += 5 // each look at the clock takes a while
      return device.seen.time as never
    }
    const shown: unknown[] = []
    device.host.turn = async () => {
      shown.push(views.get(view).query(sum)[0])
      expect(views.statuses()).toMatchObject([{ name: "notes", building: { total: 5_000 } }])
    }
    await views.redefine(view, doubled)
    expect(shown.length).toBeGreaterThan(2)
    expect(new Set(shown.map((row) => JSON.stringify(row)))).toEqual(new Set(['{"n":5000,"greatest":4999}']))
    expect(told).toEqual([
      { n: 5_000, greatest: 4_999 },
      { n: 5_000, greatest: 9_998 },
    ])
    expect(views.statuses()).toEqual([{ name: "notes", building: undefined }])
  })

  test("lets a source go on that stood still", async () => {
    const device = stageDevice()
    await device.grow(A, [noted(1), noted(POISON), noted(2)])
    const { views } = device.visit()
    const view = await views.open(OF_A)
    const tables = ["CREATE TABLE notes (stream TEXT, n INTEGER) STRICT"]
    await views.redefine(view, { ...OF_A, view: { notes: { ...OF_A.view.notes!, tables } } })
    expect(views.halts()).toEqual([])
    expect(
      views
        .get(view)
        .query(ALL)
        .map(({ n }) => n),
    ).toEqual([1, 2, POISON])
  })

  test("that is refused leaves everything as it is", async () => {
    const device = stageDevice()
    await device.grow(A, [noted(1)])
    const { views, replica } = device.visit()
    const view = await views.open(OF_A)
    const broken = { ...OF_A, view: { notes: { ...OF_A.view.notes!, tables: ["CREATE NONSENSE"] } } }
    await expect(views.redefine(view, broken)).rejects.toMatchObject({ code: "invalid-view" })
    replica(A).take(await device.grow(A, [noted(2)]))
    expect(views.get(view).query(ALL)).toHaveLength(2)
  })
})

describe("[VIEW39] an event that is skipped", () => {
  test("is passed over, in this tab, in others and in later visits", async () => {
    const device = stageDevice()
    const poison = noted(POISON)
    await device.grow(A, [noted(1), poison, noted(2)])
    const [first, second] = [device.visit(), device.visit()]
    const view = await first.views.open(OF_A)
    const other = await second.views.open(OF_A)
    await first.views.skip(view, { source: "notes", eventId: poison.id as never })
    expect(first.views.get(view).query(ALL)).toHaveLength(2)
    expect(first.views.halts()).toEqual([])
    second.views.skipped(first.skipped[0]!)
    await expect.poll(() => second.views.get(other).query(ALL)).toHaveLength(2)
    const later = device.visit()
    expect(later.views.get(await later.views.open(OF_A)).query(ALL)).toHaveLength(2)
  })

  test("must be one at which the source stands still", async () => {
    const device = stageDevice()
    const good = noted(1)
    await device.grow(A, [good])
    const { views } = device.visit()
    const view = await views.open(OF_A)
    const skipping = views.skip(view, { source: "notes", eventId: good.id as never })
    await expect(skipping).rejects.toMatchObject({ code: "not-halted" })
    expect(views.get(view).query(ALL)).toHaveLength(1)
  })
})

describe("[VIEW40] the past", () => {
  test("has the rows of any place, in the middle of a page too, without what is pending", async () => {
    const device = stageDevice()
    await device.grow(A, many(3))
    await device.grow(A, many(4, 3))
    const { views, append } = device.visit()
    const view = await views.open(OF_A)
    append(A, noted(-1))
    for (const [at, offset] of device.offsets(A).entries()) {
      const past = await views.past(view, { [A]: offset })
      expect(views.get(past).query("SELECT count(*) AS n FROM notes")).toEqual([{ n: at }])
      views.closeView(past)
    }
    expect(views.get(view).query("SELECT count(*) AS n FROM notes")).toEqual([{ n: 8 }])
  })

  test("begins at a snapshot of before, and not at one of after", async () => {
    const device = stageDevice()
    const count = LIMITS.snapshotMessagesMin
    await device.grow(A, many(count))
    const { views, replica } = device.visit()
    const view = await views.open(OF_A)
    await device.pass(LIMITS.snapshotQuietMs)
    replica(A).take(await device.grow(A, many(3, count)))
    const rowsAt = async (at: number) => {
      const past = await views.past(view, { [A]: device.offsets(A)[at]! })
      return views.get(past).query("SELECT count(*) AS n FROM notes")[0]?.n
    }
    expect(await rowsAt(count + 2)).toBe(count + 2)
    expect(await rowsAt(count - 2)).toBe(count - 2)
  })

  test("of a place that the log does not have is refused", async () => {
    const device = stageDevice()
    await device.grow(A, many(3))
    await device.grow(B, many(5))
    const { views } = device.visit()
    const view = await views.open(OF_A)
    const elsewhere = views.past(view, { [A]: device.offsets(B)[4]! })
    await expect(elsewhere).rejects.toMatchObject({ code: "invalid-offset" })
    const foreign = views.past(view, { [B]: START })
    await expect(foreign).rejects.toMatchObject({ code: "invalid-offset" })
  })
})

describe("[VIEW44] the hash of a view", () => {
  test("is of its confirmed rows, equal on two devices and for any pages, and says where they stand", async () => {
    const [one, other] = [stageDevice(), stageDevice()]
    const events = many(30)
    await one.grow(A, events)
    for (const event of events) await other.grow(A, [event])
    const [first, second] = [one.visit(), other.visit()]
    const [view, same] = [await first.views.open(OF_A), await second.views.open(NOTES)]
    first.append(A, noted(-1))
    const hash = await first.views.hash(view)
    expect(hash.cursor).toEqual({ [A]: one.offsets(A).at(-1) })
    expect((await second.views.hash(same)).tables).toEqual(hash.tables)
    expect(first.views.get(view).query("SELECT min(n) AS least FROM notes")).toEqual([{ least: -1 }])
    await expect(second.views.verify(same, hash)).resolves.toMatchObject({ isEqual: true })
  })

  test("of the past is what it was then", async () => {
    const device = stageDevice()
    await device.grow(A, many(3))
    const { views, replica } = device.visit()
    const view = await views.open(OF_A)
    const before = await views.hash(view)
    replica(A).take(await device.grow(A, [noted(7)]))
    expect((await views.hash(view)).view).not.toBe(before.view)
    expect(await views.hash(await views.past(view, before.cursor))).toEqual(before)
  })

  test("tells rows that are wrong, in which table and since where; a rebuild makes them right", async () => {
    const device = stageDevice()
    await device.grow(A, many(LIMITS.snapshotMessagesMin))
    await device.visit().views.open(OF_A)
    await device.pass(LIMITS.snapshotQuietMs)
    const [[id, snapshot] = expect.fail("there is one")] = device.kept
    const database = await device.host.openSql(snapshot.bytes)
    database.exec("DELETE FROM notes WHERE n = 3")
    device.kept.set(id, { ...snapshot, bytes: database.image() })
    const { views } = device.visit()
    const view = await views.open(OF_A)
    const end = { [A]: device.offsets(A).at(-1) }
    expect(await views.verify(view)).toEqual({ isEqual: false, tables: ["notes"], after: {}, upTo: end })
    await views.rebuild(view)
    expect(await views.verify(view)).toEqual({ isEqual: true, tables: [], after: {}, upTo: end })
    expect(await views.verify(view)).toMatchObject({ after: end })
  })
})

test("[VIEW41] a long page is folded in turns, and what it does not confirm stays shown meanwhile", async () => {
  const device = stageDevice()
  await device.grow(A, [noted(-1)])
  const { views, replica, append } = device.visit()
  const view = await views.open(OF_A)
  append(A, noted(-2))
  const counts: unknown[] = []
  device.host.turn = async () =>
    void counts.push(views.get(view).query("SELECT count(*) AS n FROM notes")[0]?.n)
  replica(A).take(await device.grow(A, many(3 * LIMITS.foldEventsPerTurn)))
  await settle()
  const size = LIMITS.foldEventsPerTurn
  expect(counts).toEqual([size + 2, 2 * size + 2])
  expect(views.get(view).query("SELECT count(*) AS n FROM notes")).toEqual([{ n: 3 * size + 2 }])
})

test("[VIEW42] rows of a log that is no more are made anew although a definition is refused meanwhile", async () => {
  const device = stageDevice()
  await device.grow(A, many(10))
  const { views, replica } = device.visit()
  const view = await views.open(OF_A)
  const restarted = replica(A)
  restarted.restart({ ...restarted.record }, [], new Set())
  views.refold(A)
  const broken = { ...OF_A, view: { notes: { ...OF_A.view.notes!, tables: ["CREATE NONSENSE"] } } }
  await expect(views.redefine(view, broken)).rejects.toMatchObject({ code: "invalid-view" })
  await device.pass(1_000)
  await expect.poll(() => views.view(view).isSettled).toBe(true)
  restarted.take(await device.grow(A, [noted(11)]))
  expect(views.get(view).query(ALL)).toHaveLength(11)
})

test("[VIEW41] an empty page moves the place of a view, and the next one follows it", async () => {
  const device = stageDevice()
  const { views, replica } = device.visit()
  const view = await views.open(OF_A)
  const first = await device.grow(A, [noted(1)])
  const begin = issueOffset({ generation: 7, position: 0, chain: EMPTY_CHAIN })
  replica(A).take({ from: START, next: begin, text: "", messages: [] })
  replica(A).take({ ...first, from: begin })
  expect(views.get(view).query(ALL)).toHaveLength(1)
})

test("[VIEW42] rows of a log that has become another are made anew, and shown until those are whole", async () => {
  const device = stageDevice()
  await device.grow(A, many(10))
  const { views, replica } = device.visit()
  const view = await views.open(OF_A)
  const restarted = replica(A)
  restarted.restart({ ...restarted.record }, [], new Set())
  views.refold(A)
  expect(views.get(view).query(ALL)).toHaveLength(10)
  const before = views.get(view)
  await expect.poll(() => views.get(view) === before).toBe(false)
  expect(views.get(view).query(ALL)).toHaveLength(10)
})
