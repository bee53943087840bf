import { describe, expect, test, vi } from "vitest"
import { z } from "zod"
import {
  applyChanges,
  type Client,
  connect,
  defineStream,
  defineView,
  HeadwaterError,
  type Row,
  type RowChanges,
} from "../../../client/index.ts"

const counters = defineStream({
  "counter.moved": z.object({ counter: z.string(), by: z.number() }),
  "counter.dropped": z.object({ counter: z.string() }),
})
const totals = defineView({
  counters: {
    from: counters,
    table: "CREATE TABLE totals (counter TEXT PRIMARY KEY, total REAL NOT NULL) STRICT",
    on: {
      "counter.moved": `INSERT INTO totals VALUES (:counter, :by)
        ON CONFLICT (counter) DO UPDATE SET total = total + excluded.total`,
      "counter.dropped": "DELETE FROM totals WHERE counter = :counter",
    },
  },
})

const NOWHERE = "http://127.0.0.1:9"
const DONE = { done: true, value: undefined }
const ALL = "SELECT * FROM totals ORDER BY counter"

const newAccount = () => crypto.randomUUID()

async function open(account = newAccount()) {
  const client = await connect({ edge: NOWHERE, account })
  const view = await client.view(totals, { counters: "tests/counters" })
  return { client, account, stream: client.stream(counters, "tests/counters"), view }
}

async function refusal(act: Promise<unknown> | (() => unknown)): Promise<HeadwaterError> {
  try {
    await (typeof act === "function" ? act() : act)
  } catch (error) {
    if (error instanceof HeadwaterError) return error
    throw error
  }
  throw new Error("nothing was refused")
}

describe("client without a network", () => {
  test("[LOG3] an append is in the rows when it resolves, and there again for the next visit", async () => {
    const first = await open()
    await first.stream.append("counter.moved", { counter: "a", by: 2 })
    await first.stream.append("counter.moved", { counter: "a", by: 3 })
    expect(await first.view.query(ALL)).toEqual([{ counter: "a", total: 5 }])
    await first.client.close()

    const second = await open(first.account)
    expect(await second.view.query(ALL)).toEqual([{ counter: "a", total: 5 }])
    expect((await second.stream.pending()).map(({ data }) => data)).toEqual([
      { counter: "a", by: 2 },
      { counter: "a", by: 3 },
    ])
    await second.client.close()
  })

  test("[LOG8] events appended in one task keep their order", async () => {
    const { client, stream } = await open()
    const appends = Array.from({ length: 5_000 }, (_, by) =>
      stream.append("counter.moved", { counter: "a", by }),
    )
    await Promise.all(appends)
    const order = (await stream.pending()).map(({ data }) => ("by" in data ? data.by : undefined))
    expect(order).toEqual(Array.from({ length: 5_000 }, (_, by) => by))
    await client.close()
  })

  test("[VIEW13] a live query answers at once and after each change, until it is stopped", async () => {
    const { client, stream, view } = await open()
    const answers: unknown[] = []
    const stop = view.live(ALL, [], (rows) => answers.push(rows))
    await expect.poll(() => answers).toEqual([[]])
    await stream.append("counter.moved", { counter: "a", by: 1 })
    await expect.poll(() => answers.at(-1)).toEqual([{ counter: "a", total: 1 }])
    stop()
    stop()
    await stream.append("counter.dropped", { counter: "a" })
    expect(await view.query(ALL)).toEqual([])
    expect(answers).toHaveLength(2)
    await client.close()
  })

  test("[VIEW28] a loop over rows gets the newest ones next, and stops the query when it is left", async () => {
    const { client, stream, view } = await open()
    const seen: unknown[] = []
    const move = (by: number) => stream.append("counter.moved", { counter: "a", by })
    for await (const [row] of view.rows<{ counter: string; total: number }>(ALL)) {
      seen.push(row?.total)
      if (seen.length === 3) break
      await Promise.all([1, 2, 3].map(move)) // the loop looks at none of those between
    }
    expect(seen).toEqual([undefined, 6, 12])
    const left = view.rows(ALL)
    await left.next()
    const waiting = left.next()
    await view.close()
    expect([await waiting, await left.next()]).toEqual([DONE, DONE])
    await client.close()
  })

  test("[VIEW28] a loop throws what ends it: a query that is none, a client that is closed", async () => {
    const { client, view } = await open()
    expect((await refusal(view.rows("SELECT nothing").next())).code).toBe("invalid-query")
    const rows = view.rows(ALL)
    expect(await rows.next()).toEqual({ done: false, value: [] })
    const waiting = refusal(rows.next())
    await client.close()
    expect([(await waiting).code, await rows.next()]).toEqual(["closed", DONE])
  })

  test("[VIEW29] only what differs comes to the page", async () => {
    const { client, stream, view } = await open()
    const told: RowChanges[] = []
    let rows: Row[] = []
    const stop = view.changes(ALL, [], { key: ["counter"] }, (changes) => {
      told.push(changes)
      rows = applyChanges(rows, changes)
    })
    await stream.append("counter.moved", { counter: "a", by: 1 })
    await stream.append("counter.moved", { counter: "b", by: 2 })
    await expect.poll(() => rows.at(1)).toEqual({ counter: "b", total: 2 })
    await stream.append("counter.moved", { counter: "b", by: 2 })
    const all = [
      { counter: "a", total: 1 },
      { counter: "b", total: 4 },
    ]
    await expect.poll(() => rows).toEqual(all)
    stop()
    expect(told.at(-1)).toEqual({ removed: [], moved: [], added: [], changed: [{ at: 1, row: all[1] }] })
    const onError = vi.fn()
    view.changes(ALL, [], { key: ["colour"] }, () => {}, onError)
    await expect.poll(() => onError.mock.calls[0]?.[0]).toMatchObject({ code: "invalid-query" })
    await client.close()
  })

  test("[VIEW26] a query that runs away is stopped, and all goes on", async () => {
    const { client, stream, view } = await open()
    await stream.append("counter.moved", { counter: "a", by: 1 })
    const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    expect((await refusal(view.query(endless, [], { timeoutMs: 50 }))).code).toBe("query-timeout")
    expect((await refusal(view.query(endless))).code).toBe("query-timeout")
    for (const timeoutMs of [0, -1, Number.NaN, 1e9, "1" as never]) {
      expect((await refusal(view.query(ALL, [], { timeoutMs }))).code).toBe("invalid-options")
    }
    expect(await view.query(ALL)).toEqual([{ counter: "a", total: 1 }])
    await client.close()
  })

  test("[VIEW12] parameters bind by position and by name", async () => {
    const { client, stream, view } = await open()
    await stream.append("counter.moved", { counter: "a", by: 1 })
    expect(await view.query("SELECT total FROM totals WHERE counter = ?", ["a"])).toEqual([{ total: 1 }])
    expect(await view.query("SELECT total FROM totals WHERE counter = :name", { name: "b" })).toEqual([])
    await client.close()
  })

  test("[EVENT2] a refused event leaves no trace", async () => {
    const { client, stream, view } = await open()
    const wrong = await refusal(stream.append("counter.moved", { counter: "a", by: "much" } as never))
    expect(wrong.code).toBe("invalid-event")
    expect(wrong.message).toMatch(/counter\.moved.*data\.by/)
    expect((await refusal(stream.append("counter.stolen" as never, {} as never))).message).toContain(
      "counter.stolen",
    )
    const huge = await refusal(stream.append("counter.dropped", { counter: "x".repeat(300_000) }))
    expect(huge.code).toBe("invalid-event")
    expect(await stream.pending()).toEqual([])
    expect(await view.query(ALL)).toEqual([])
    await client.close()
  })

  test("[VIEW12] a query that does not compile or would write is refused, and the view goes on", async () => {
    const { client, stream, view } = await open()
    for (const sql of [
      "SELEC 1",
      "SELECT nothing FROM totals",
      "DELETE FROM totals",
      "SELECT 1; SELECT 2",
      "PRAGMA user_version",
    ]) {
      expect((await refusal(view.query(sql))).code).toBe("invalid-query")
      const onError = vi.fn()
      view.live(sql, [], () => {}, onError)
      await expect.poll(() => onError.mock.calls.length).toBe(1)
    }
    await stream.append("counter.moved", { counter: "a", by: 1 })
    expect(await view.query(ALL)).toHaveLength(1)
    await client.close()
  })

  test.each([
    ["does not compile", "INSERT INTO totals VALUES (:counter"],
    ["is not deterministic", "INSERT INTO totals VALUES (:counter, random())"],
    ["asks the clock", "INSERT INTO totals VALUES (:counter, julianday('now'))"],
    ["touches what is not its own", "INSERT INTO other VALUES (:counter, 1)"],
  ])("[VIEW1] a view whose SQL %s is refused with its place", async (_name, sql) => {
    const { client } = await open()
    const source = {
      from: counters,
      table: "CREATE TABLE totals (counter TEXT, total REAL)",
      on: { "counter.moved": sql },
    }
    const error = await refusal(client.view(defineView({ counting: source }), { counting: "tests/counters" }))
    expect(error.code).toBe("invalid-view")
    expect(error.message).toMatch(/counting.*counter\.moved/s)
    await client.close()
  })

  test("[PATH1] a path that is none is refused where it is given", async () => {
    const { client } = await open()
    expect(() => client.stream(counters, "a//b")).toThrow(/empty segment/)
    expect((await refusal(client.view(totals, { counters: "/x" }))).code).toBe("invalid-path")
    expect((await refusal(client.view(totals, {} as never))).code).toBe("invalid-path")
    await client.close()
  })

  test.each(["", "streams.example", "ftp://a", "http://a?b=c", undefined, 7])(
    "[OPT1] %j is no edge",
    async (edge) => {
      const error = await refusal(() => connect({ edge: edge as never }))
      expect(error.code).toBe("invalid-options")
      expect(error.message).toContain("https://streams.example")
    },
  )

  test("[OPT2] accounts on one device share nothing", async () => {
    const [one, two] = await Promise.all([open(), open()])
    await one.stream.append("counter.moved", { counter: "a", by: 1 })
    expect(await two.view.query(ALL)).toEqual([])
    expect(await two.stream.pending()).toEqual([])
    await Promise.all([one.client.close(), two.client.close()])
  })

  test("[CLOSE1] what was appended before close is kept, what comes after is refused", async () => {
    const { client, stream, account } = await open()
    const last = stream.append("counter.moved", { counter: "a", by: 1 })
    const closing = client.close()
    const receipt = await last
    await closing
    expect((await refusal(receipt.confirmed)).code).toBe("closed")
    expect((await refusal(stream.append("counter.moved", { counter: "a", by: 1 }))).code).toBe("closed")
    await client.close()
    const again: { client: Client; view: { query(sql: string): Promise<unknown> } } = await open(account)
    expect(await again.view.query(ALL)).toEqual([{ counter: "a", total: 1 }])
    await again.client.close()
  })

  test("[VIEW10] a handler that cannot take an event halts its source, and the status says where", async () => {
    const { client, stream } = await open()
    const table = "CREATE TABLE moves (counter TEXT PRIMARY KEY, by REAL CHECK (by < 10)) STRICT"
    const strict = defineView({
      moves: { from: counters, table, on: { "counter.moved": "INSERT INTO moves VALUES (:counter, :by)" } },
    })
    const view = await client.view(strict, { moves: "tests/counters" })
    await stream.append("counter.moved", { counter: "a", by: 1 })
    const { id } = await stream.append("counter.moved", { counter: "b", by: 10 })
    await expect
      .poll(() => client.status.halts)
      .toMatchObject([{ source: "moves", eventId: id, eventType: "counter.moved" }])
    expect(await view.query("SELECT counter FROM moves")).toEqual([{ counter: "a" }])
    await client.close()
  })

  test("[STATUS1] the status tells what waits and that the edge does not answer", async () => {
    const { client, stream } = await open()
    await stream.append("counter.moved", { counter: "a", by: 1 })
    await expect
      .poll(() => client.status.streams["tests/counters"])
      .toMatchObject({
        pending: 1,
        connection: expect.stringMatching(/waiting|catching-up/),
        lastError: { code: "unreachable" },
      })
    expect(client.status.role).toBe("leader")
    await client.pause()
    await expect
      .poll(() => client.status)
      .toMatchObject({ paused: true, streams: { "tests/counters": { connection: "paused" } } })
    await client.close()
  })
})
