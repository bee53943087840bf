import { describe, expect, test } from "vitest"
import { append, ask, create, newStream } from "../edge-client.ts"
import {
  askView,
  evict,
  foldOf,
  live,
  newView,
  ORDERS,
  order,
  place,
  post,
  putView,
  rowsOf,
  streamOf,
} from "./view-client.ts"

const ANYTHING = {
  things: {
    tables: [
      "CREATE TABLE things (id TEXT PRIMARY KEY, a ANY, b ANY) STRICT",
      "CREATE INDEX by_a ON things (a)",
    ],
    on: { put: ["INSERT OR REPLACE INTO things VALUES (:id, :a, :b)"] },
  },
}
const put = (id: string, a: unknown, b: unknown = null) => ({
  id: `${id}-event`,
  type: "put",
  data: { id, a, b },
})

async function things(...events: object[]): Promise<{ name: string; stream: string }> {
  const [name, stream] = [newView(), await streamOf(...events)]
  await putView(name, ANYTHING, { things: stream })
  await live(name)
  return { name, stream }
}

async function refusal(name: string, body: object): Promise<[number, string]> {
  const response = await post(`${name}/query`, body)
  return [response.status, (await response.json<{ message: string }>()).message]
}

describe("a query over HTTP", () => {
  test("[EVIEW10] binds parameters by position and by name, and says its columns", async () => {
    const { name } = await things(put("one", 1, "x"), put("two", 2, "y"))
    const sql = 'SELECT id, b AS "the b" FROM things WHERE a = :a AND b = :b'
    const answer = await post(`${name}/query`, { sql, params: { a: 2, b: "y" } })
    expect(await answer.json()).toMatchObject({ columns: ["id", "the b"], rows: [["two", "y"]] })
    expect(answer.headers.get("cache-control")).toBe("no-store")
    expect(await rowsOf(name, sql, { params: [1, "x"] })).toEqual([["one", "x"]])
    expect(await rowsOf(name, "SELECT id FROM things WHERE a IS ?", { params: [null] })).toEqual([])
  })

  test("[EVIEW11] every value arrives as it is stored", async () => {
    const { name } = await things(put("one", 0.5, true), put("two", "text", [1]))
    const sql =
      "SELECT 9007199254740993, -9223372036854775807 - 1, 1e400, -1e400, x'00ff', 9007199254740991, NULL"
    expect(await rowsOf(name, sql)).toEqual([
      [
        { integer: "9007199254740993" },
        { integer: "-9223372036854775808" },
        { real: "Infinity" },
        { real: "-Infinity" },
        { blob: "00ff" },
        9007199254740991,
        null,
      ],
    ])
    expect(await rowsOf(name, "SELECT a, b FROM things ORDER BY id")).toEqual([
      [0.5, 1],
      ["text", "[1]"],
    ])
    const params = [{ integer: "9007199254740993" }, { blob: "00ff" }, { real: "-Infinity" }, 5, true]
    const types = "SELECT typeof(?1), ?1, typeof(?2), hex(?2), typeof(?3), typeof(?4), ?5"
    expect(await rowsOf(name, types, { params })).toEqual([
      ["integer", { integer: "9007199254740993" }, "blob", "00FF", "real", "integer", 1],
    ])
  })

  test.each([
    ["DELETE FROM things", 400, "expected SELECT, VALUES or WITH"],
    ["WITH x AS (SELECT 1) DELETE FROM things", 400, "reads"],
    ["PRAGMA table_list", 400, "expected SELECT, VALUES or WITH"],
    ["SELECT 1; SELECT 2", 400, "one statement"],
    ["SELECT absent FROM things", 400, "no such column"],
    ["SELECT * FROM headwater_feeds", 400, "headwater_feeds"],
    ['SELECT * FROM "headwater_fold"', 400, "headwater_fold"],
    ["SELECT (SELECT view FROM [headwater_fold])", 400, "headwater_fold"],
    ["SELECT sql FROM sqlite_master", 400, "sqlite_master"],
    ["SELECT * FROM pragma_table_info('headwater_feeds')", 400, "pragma_table_info"],
    ["SELECT * FROM things WHERE a = ?", 400, "1 parameters"],
    ["WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", 400, "LIMIT"],
    [
      "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 99999999) SELECT count(*) FROM n",
      400,
      "at most 10000",
    ],
    ["SELECT value FROM json_each('[1]') AS a, pragma_function_list", 400, "pragma_function_list"],
  ])("[EVIEW12] %s is refused", async (sql, status, words) => {
    const { name } = await things()
    expect(await refusal(name, { sql })).toEqual([status, expect.stringContaining(words)])
  })

  test("[EVIEW12] a query that is bounded may be recursive, and may read JSON", async () => {
    const { name } = await things()
    const sql = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT max(i) FROM n"
    expect(await rowsOf(name, sql)).toEqual([[100]])
    expect(await rowsOf(name, "SELECT sum(value) FROM json_each(?)", { params: ["[1,2]"] })).toEqual([[3]])
  })

  test("[EVIEW12] what would be too much is refused before it runs, or where it becomes so", async () => {
    const [name, stream] = [newView(), newStream()]
    await create(stream)
    for (let n = 0; n < 6; n++) {
      const events = Array.from({ length: 2_000 }, (_, at) => put(`${n}-${at}`, at, "x".repeat(100)))
      await append(stream, JSON.stringify(events))
    }
    await putView(name, ANYTHING, { things: stream })
    await live(name)
    expect(await refusal(name, { sql: "SELECT count(*) FROM things a, things b WHERE a.b < b.b" })).toEqual([
      413,
      expect.stringContaining("steps by its plan"),
    ])
    expect(await refusal(name, { sql: "SELECT id FROM things" })).toEqual([
      413,
      expect.stringContaining("at most 10000 rows"),
    ])
    const wide = `SELECT b || b || b || b || b || b || b || b FROM things LIMIT 9000`
    expect(await refusal(name, { sql: wide })).toEqual([413, expect.stringContaining("4194304 bytes")])
    expect(await rowsOf(name, "SELECT count(*) FROM things a JOIN things b ON a.id = b.id")).toEqual([
      [12_000],
    ])
  })

  test.each([
    [{}],
    [{ sql: 1 }],
    [{ sql: "SELECT 1", params: 1 }],
    [{ sql: "SELECT ?", params: [{ blob: "x" }] }],
    [{ sql: "SELECT ?", params: [{ integer: "99999999999999999999" }] }],
    [{ sql: "SELECT 1", wait_ms: -1 }],
    [{ sql: "SELECT 1", min_offset: { a: "b" } }],
  ])("[EVIEW10] %j is no query", async (body) => {
    const { name } = await things()
    expect((await refusal(name, body))[0]).toBe(400)
  })
})

describe("a query that waits", () => {
  test("[EVIEW13] answers once its own writes are folded", async () => {
    const { name, stream } = await things()
    for (let n = 0; n < 20; n++) {
      const offset = await place(stream, put("one", n))
      const min_offset = { [stream]: offset }
      expect(await rowsOf(name, "SELECT a FROM things", { min_offset })).toEqual([[n]])
    }
  })

  test("[EVIEW13] says how far the view is when that is not folded in time, and blocks nobody", async () => {
    const { name, stream } = await things(put("one", 1))
    const tail = (await ask(stream, { method: "HEAD" })).headers.get("stream-next-offset")!
    const beyond = tail.replace(/_\d{16}_/, "_0000000000000099_")
    const waiting = post(`${name}/query`, { sql: "SELECT 1", min_offset: { [stream]: beyond }, wait_ms: 300 })
    expect(await rowsOf(name, "SELECT a FROM things")).toEqual([[1]])
    const late = await waiting
    expect([late.status, await late.json()]).toMatchObject([504, { cursor: { [stream]: tail } }])
    const other = await post(`${name}/query`, { sql: "SELECT 1", min_offset: { other: tail }, wait_ms: 0 })
    expect(other.status).toBe(504)
  })
})

describe("the hash of a view", () => {
  test("[EVIEW14] is the same for the same rows, and another for others", async () => {
    const events = [order("tea", 2), order("milk")]
    const [one, other] = [await streamOf(...events), await streamOf(...events)]
    const names = [newView(), newView()]
    const view = {
      orders: { ...ORDERS.orders, on: { "order.placed": [ORDERS.orders!.on["order.placed"]![1]!] } },
    }
    await putView(names[0]!, view, { orders: one })
    await putView(names[1]!, view, { orders: other })
    const hashOf = async (name: string) => {
      await live(name)
      return (await askView(`${name}/hash`)).json<{ view: string; tables: object; cursor: object }>()
    }
    const [first, second] = [await hashOf(names[0]!), await hashOf(names[1]!)]
    expect(first.tables).toEqual(second.tables)
    expect(first.view).toMatch(/^[0-9a-f]{64}$/)
    expect(first.view).toBe(second.view)
    await place(other, order("tea"))
    await expect.poll(async () => (await hashOf(names[1]!)).view).not.toBe(first.view)
    expect((await hashOf(names[0]!)).view).toBe(first.view)
    expect((await foldOf(names[0]!, 1).report()).kind).toBe("fold")
  })
})

test("[EVIEW12] a table for full-text search is folded and asked like others", async () => {
  const [name, stream] = [newView(), await streamOf(put("one", "green tea"), put("two", "black coffee"))]
  const view = {
    words: {
      tables: ["CREATE VIRTUAL TABLE words USING fts5(id UNINDEXED, text)"],
      on: { put: ["INSERT INTO words (id, text) VALUES (:id, :a)"] },
    },
  }
  expect((await putView(name, view, { words: stream })).status).toBe(201)
  await live(name)
  await evict(foldOf(name, 1))
  await place(stream, put("three", "white tea"))
  const sql = "SELECT id FROM words WHERE words MATCH 'tea' ORDER BY id"
  await expect.poll(() => rowsOf(name, sql)).toEqual([["one"], ["three"]])
  expect(await rowsOf(name, "SELECT count(*) FROM words")).toEqual([[3]])
})
