import { runInDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { append, ask, create, newStream, objectOf } from "../edge-client.ts"
import {
  evict,
  foldOf,
  live,
  newView,
  ORDERS,
  ORDERS_BY_STREAM,
  order,
  place,
  post,
  putView,
  rowsOf,
  STOCK,
  statusOf,
  streamOf,
} from "./view-client.ts"

/** The orders, and beside them a source of the same stream that takes everything. */
const TWO_SOURCES = {
  ...ORDERS,
  log: {
    tables: ["CREATE TABLE log (id TEXT PRIMARY KEY, type TEXT) STRICT"],
    on: { "order.placed": ["INSERT INTO log VALUES (:event_id, 'placed')"] },
  },
}

test("[EVIEW7] a statement that fails stops its source at that event, all else goes on, and a skip resumes it", async () => {
  const poison = order("tea", "many")
  const [name, stream] = [newView(), await streamOf(order("tea"), poison, order("milk"))]
  await putView(name, TWO_SOURCES, { orders: stream, log: stream })
  await live(name)
  await place(stream, order("milk"))
  await expect.poll(() => rowsOf(name, "SELECT count(*) FROM log")).toEqual([[4]])
  expect(await rowsOf(name, STOCK)).toEqual([["tea", 1]])
  const { halts, skipped } = await statusOf(name)
  expect(skipped).toEqual([])
  expect(halts).toMatchObject([
    {
      kind: "event",
      source: "orders",
      stream,
      event: { id: poison.id, type: "order.placed" },
      message: "cannot store TEXT value in INTEGER column orders.quantity",
    },
  ])
  const lies = await (await ask(`${stream}?offset=${halts[0]?.at}&end=${halts[0]?.offset}`)).json()
  expect(lies).toEqual([poison]) // between the two offsets is the event
  const wrong = { source: "orders", stream, event: order("tea").id }
  expect((await post(`${name}/skip`, wrong)).status).toBe(409)
  expect((await post(`${name}/skip`, { source: "log", stream, event: poison.id })).status).toBe(409)
  expect((await post(`${name}/skip`, { source: "orders" })).status).toBe(400)
  expect((await post(`${name}/skip`, { source: "orders", stream, event: poison.id })).status).toBe(204)
  const whole = [
    ["milk", 2],
    ["tea", 1],
  ]
  await expect.poll(() => rowsOf(name, STOCK)).toEqual(whole)
  const after = await statusOf(name)
  expect(after.halts).toEqual([])
  expect(after.skipped).toEqual([{ source: "orders", stream, event: poison.id }])
  expect((await post(`${name}/rebuild`)).status).toBe(200)
  await live(name, 2)
  expect(await rowsOf(name, STOCK)).toEqual(whole)
})

test("[EVIEW7] the halt and its place outlive the object in memory", async () => {
  const poison = order("tea", "many")
  const [name, stream] = [newView(), await streamOf(order("tea"), poison)]
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  const before = await statusOf(name)
  await evict(foldOf(name, 1))
  await place(stream, order("milk"))
  expect(await statusOf(name)).toEqual(before)
  await evict(foldOf(name, 1))
  await post(`${name}/skip`, { source: "orders", stream, event: poison.id })
  await evict(foldOf(name, 1))
  await expect
    .poll(() => rowsOf(name, STOCK))
    .toEqual([
      ["milk", 1],
      ["tea", 1],
    ])
  await place(stream, order("cocoa")) // it is told of again, though it was not while the source stood still
  await expect.poll(() => rowsOf(name, "SELECT count(*) FROM orders")).toEqual([[3]])
})

test("[EVIEW8] a stream that was deleted, or is another one by now, stops its sources, and a rebuild goes on", async () => {
  const [name, stream, other] = [newView(), await streamOf(order("tea")), await streamOf(order("milk"))]
  const view = { ...ORDERS_BY_STREAM, log: TWO_SOURCES.log }
  await putView(name, view, { orders: stream, log: other })
  await live(name)
  await ask(stream, { method: "DELETE" })
  await expect.poll(async () => (await statusOf(name)).halts).toMatchObject([{ kind: "deleted", stream }])
  await ask(other, { method: "DELETE" })
  await create(other)
  await place(other, order("coffee"))
  await expect
    .poll(async () =>
      (await statusOf(name)).halts.map(({ kind }) => kind).filter((kind) => kind !== "deleted"),
    )
    .toEqual(expect.not.arrayContaining(["event"]))
  await expect.poll(async () => (await statusOf(name)).halts.length).toBe(2)
  expect(await rowsOf(name, "SELECT sku FROM orders")).toEqual([["tea"]])
  await post(`${name}/rebuild`)
  await live(name, 2)
  expect(await rowsOf(name, "SELECT count(*) FROM orders")).toEqual([[0]])
  expect(await rowsOf(name, "SELECT count(*) FROM log")).toEqual([[1]])
  expect((await statusOf(name)).halts).toEqual([])
})

test("[EVIEW8] a stream that was put back to an older copy stops its sources", async () => {
  const [name, stream] = [newView(), await streamOf(order("tea"))]
  await place(stream, order("milk"))
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  await runInDurableObject(objectOf(stream), (_, { storage }) => {
    storage.sql.exec("DELETE FROM batches WHERE first = (SELECT max(first) FROM batches)")
  })
  await evict(objectOf(stream))
  await place(stream, order("coffee"))
  await expect.poll(async () => (await statusOf(name)).halts).toMatchObject([{ kind: "rolled-back", stream }])
  expect(await rowsOf(name, STOCK)).toEqual([
    ["milk", 1],
    ["tea", 1],
  ])
})

test("[EVIEW8] a stream that keeps its beginning no longer stops its sources until that is passed over", async () => {
  const [name, stream] = [newView(), newStream()]
  await create(stream, "application/json", { headers: { "stream-retention-bytes": "1" } })
  for (const sku of ["tea", "milk", "coffee"]) await append(stream, JSON.stringify([order(sku)]))
  await expect.poll(async () => (await ask(`${stream}?offset=-1`)).status).toBe(410)
  const kept = (await ask(`${stream}?offset=-1`)).headers.get("stream-earliest-offset")
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  const [halt] = (await statusOf(name)).halts
  expect(halt).toMatchObject({ kind: "trimmed", stream, earliest: kept, at: "-1" })
  expect(await rowsOf(name, STOCK)).toEqual([])
  expect((await post(`${name}/skip`, { source: "orders", stream, earliest: kept })).status).toBe(204)
  await expect.poll(() => rowsOf(name, STOCK)).toEqual([["coffee", 1]])
  expect((await statusOf(name)).skipped).toEqual([{ source: "orders", stream, earliest: kept }])
})

test("[EVIEW8] a stream of bytes stops its sources", async () => {
  const [name, stream] = [newView(), newStream()]
  await create(stream, "text/plain", { body: "hello" })
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  expect((await statusOf(name)).halts).toMatchObject([{ kind: "no-json", contentType: "text/plain" }])
})
