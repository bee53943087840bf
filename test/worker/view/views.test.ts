import { describe, expect, test } from "vitest"
import { ask, create } from "../edge-client.ts"
import {
  askView,
  foldOf,
  live,
  newView,
  ORDERS,
  order,
  place,
  post,
  putView,
  rowsOf,
  STOCK,
  statusOf,
  streamOf,
} from "./view-client.ts"

describe("a view at the edge", () => {
  test("[EVIEW1] is folded from its stream, and goes on with it", async () => {
    const [name, stream] = [newView(), await streamOf(order("tea", 2), order("tea"), order("milk"))]
    const made = await putView(name, ORDERS, { orders: stream })
    expect([made.status, await made.json()]).toEqual([201, { generation: 1, outcome: "made" }])
    await live(name)
    expect(await rowsOf(name, STOCK)).toEqual([
      ["milk", 1],
      ["tea", 3],
    ])
    await place(stream, order("milk", 5))
    await expect.poll(() => rowsOf(name, "SELECT sold FROM stock WHERE sku = 'milk'")).toEqual([[6]])
    const { cursor, rows, halts } = await statusOf(name)
    expect({ rows, halts }).toEqual({ rows: { orders: 4, stock: 2 }, halts: [] })
    expect(cursor[stream]).toBe((await ask(stream, { method: "HEAD" })).headers.get("stream-next-offset"))
  })

  test("[EVIEW1] waits for a stream that is not there yet, without making it", async () => {
    const [name, stream] = [newView(), await streamOf()]
    await ask(stream, { method: "DELETE" })
    await putView(name, ORDERS, { orders: stream })
    await live(name)
    expect(await rowsOf(name, STOCK)).toEqual([])
    expect((await ask(stream)).status).toBe(404)
    await create(stream)
    await place(stream, order("tea"))
    await expect.poll(() => rowsOf(name, STOCK)).toEqual([["tea", 1]])
  })

  test("[EVIEW1] defined again it is the same, and with something else it is another generation", async () => {
    const [name, stream, other] = [newView(), await streamOf(order("tea")), await streamOf(order("milk"))]
    await putView(name, ORDERS, { orders: stream })
    await live(name)
    const again = await putView(name, ORDERS, { orders: stream })
    expect([again.status, await again.json()]).toEqual([200, { generation: 1, outcome: "unchanged" }])
    const changed = await putView(name, ORDERS, { orders: other })
    expect([changed.status, await changed.json()]).toEqual([200, { generation: 2, outcome: "changed" }])
    await live(name, 2)
    expect(await rowsOf(name, STOCK)).toEqual([["milk", 1]])
  })

  test("[EVIEW1] what does not compile is refused with the compiler's words, and leaves the view as it was", async () => {
    const [name, stream] = [newView(), await streamOf(order("tea"))]
    const view = { orders: { ...ORDERS.orders, on: { "order.placed": ["DELETE FROM nothing"] } } }
    const refused = await putView(name, view, { orders: stream })
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({
      code: "invalid-view",
      message: expect.stringContaining(`source "orders", event "order.placed"`),
    })
    expect((await askView(name)).status).toBe(404)
    const both = await Promise.all([1, 2].map(() => putView(name, view, { orders: stream })))
    expect(both.map(({ status }) => status)).toEqual([400, 400])
    await putView(name, ORDERS, { orders: stream })
    await live(name)
    expect((await putView(name, view, { orders: stream })).status).toBe(400)
    expect(await statusOf(name)).toMatchObject({ state: "live" })
    expect(await rowsOf(name, STOCK)).toEqual([["tea", 1]])
  })

  test.each([
    ["no JSON", "{", "A view is"],
    ["no view", `{"streams": {}}`, `"view" is`],
    ["no sources", `{"view": {}, "streams": {}}`, "at least one source"],
    ["no tables", `{"view": {"a": {"tables": [], "on": {}}}, "streams": {"a": "x"}}`, `"view" is`],
    ["no streams", `{"view": {"a": {"tables": ["x"], "on": {}}}}`, `"streams" is`],
    ["a source without", `{"view": {"a": {"tables": ["x"], "on": {}}}, "streams": {}}`, `of source "a"`],
    ["one too many", `{"view": {"a": {"tables": ["x"], "on": {}}}, "streams": {"a": "x", "b": "y"}}`, `"b"`],
    ["no path", `{"view": {"a": {"tables": ["x"], "on": {}}}, "streams": {"a": "__ds/x"}}`, "reserved"],
  ])("[EVIEW1] a definition with %s is refused", async (_, body, words) => {
    const refused = await askView(newView(), { method: "PUT", body })
    expect([refused.status, (await refused.json<{ message: string }>()).message]).toEqual([
      400,
      expect.stringContaining(words),
    ])
  })

  test("[EVIEW1] a name that ends with what is asked of views is none", async () => {
    expect((await putView("shop/query", ORDERS, { orders: "x" })).status).toBe(405)
    expect((await putView("", ORDERS, { orders: "x" })).status).toBe(404)
    expect((await askView(`${newView()}/query`)).status).toBe(405)
    expect((await post(newView())).status).toBe(405)
  })

  test("[EVIEW1] a view that was deleted is gone with its rows, and its name is free", async () => {
    const [name, stream] = [newView(), await streamOf(order("tea"))]
    await putView(name, ORDERS, { orders: stream })
    await live(name)
    expect((await askView(name, { method: "DELETE" })).status).toBe(204)
    expect((await askView(name)).status).toBe(404)
    expect((await askView(name, { method: "DELETE" })).status).toBe(404)
    expect((await post(`${name}/query`, { sql: "SELECT 1" })).status).toBe(404)
    await expect.poll(async () => (await foldOf(name, 1).report()).kind).toBe("no-fold")
    await place(stream, order("tea"))
    const made = await putView(name, ORDERS, { orders: stream })
    expect([made.status, await made.json()]).toEqual([201, { generation: 2, outcome: "made" }])
    await live(name, 2)
    expect(await rowsOf(name, STOCK)).toEqual([["tea", 2]])
  })
})
