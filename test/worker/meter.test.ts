import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { app } from "../../worker/http/app.ts"
import { append, ask, create, EdgeSocket, newStream, objectOf, producer } from "./edge-client.ts"

type Told = { readonly total: Record<string, number>; readonly [part: string]: unknown }

async function meterOf(path: string): Promise<Told> {
  const response = await app.fetch(new Request(`http://localhost/v1/meter/${path}`), env)
  expect(response.status).toBe(200)
  return response.json()
}

test("[METER1] the meter tells rows as the storage counts them, requests, frames and dollars", async () => {
  const path = newStream()
  await create(path)
  const before = await meterOf(path)
  await append(path, "[1,2,3]", producer("p", 0, 0))
  await append(path, "[4]")
  const after = await meterOf(path)
  const gained = (name: string) => (after.total[name] ?? 0) - (before.total[name] ?? 0)
  expect(gained("rowsWritten")).toBe(3)
  expect(gained("rowsRead")).toBeGreaterThan(0)
  expect([gained("requests"), gained("appends"), gained("messages"), gained("bytesIn")]).toEqual([
    3, 2, 4, 10,
  ])
  const { rowsWritten, rowsRead, requests, dollars } = after.total
  expect(dollars).toBeCloseTo((rowsWritten! + rowsRead! / 1_000 + requests! * 0.15) / 1e6, 9)
  expect(after).toMatchObject({ storage: { objectBytes: expect.any(Number), segmentBytes: 0 } })
  expect(after).toMatchObject({ budget: { dollarsPerDay: null, resumesAt: null } })
})

test("[METER3] counts up to the last append outlive the object in memory", async () => {
  const path = newStream()
  await create(path)
  const socket = await EdgeSocket.open(path, "now")
  await socket.next()
  for (let id = 0; id < 5; id++) await socket.append({ id, body: `${id}` })
  const before = await meterOf(path)
  await evictDurableObject(objectOf(path))
  const after = await meterOf(path)
  expect(after.total).toMatchObject({ appends: 5, messages: 5, framesIn: 5, wakes: before.total.wakes! + 1 })
  expect(before.total.rowsWritten! - after.total.rowsWritten!).toBe(1) // the row that carries the counts
})

test("[METER5] a stream that is not there has no meter, and a meter is read only", async () => {
  const get = (path: string, method = "GET") =>
    app.fetch(new Request(`http://localhost/v1/meter/${path}`, { method }), env)
  const missing = await get(newStream())
  expect([missing.status, await missing.json()]).toEqual([404, { message: "There is no such stream." }])
  expect((await get("")).status).toBe(404)
  const posted = await get(newStream(), "POST")
  expect([posted.status, posted.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"])
})

test("[METER6] each request leaves one data point, without anything of what it carried", async () => {
  const points: AnalyticsEngineDataPoint[] = []
  const METER: AnalyticsEngineDataset = { writeDataPoint: (point) => void points.push(point!) }
  const path = newStream()
  const request = (init: RequestInit, query = "") =>
    app.fetch(new Request(`http://localhost/v1/stream/${path}${query}`, init), { ...env, METER })
  const headers = { "content-type": "application/json" }
  await request({ method: "PUT", headers })
  await request({ method: "POST", headers, body: `["secret"]` })
  const read = await request({ method: "GET" })
  expect(points).toHaveLength(2) // the third is still on its way out
  expect(await read.text()).toBe(`["secret"]`)
  await request({ method: "GET" }, "?offset=wrong").then((response) => response.text())
  await expect.poll(() => points.length).toBe(4)
  expect(points.map(({ indexes }) => indexes)).toEqual(points.map(() => [path]))
  expect(points.map(({ blobs }) => blobs)).toEqual([
    ["PUT", "2xx"],
    ["POST", "2xx"],
    ["GET", "2xx"],
    ["GET", "4xx"],
  ])
  expect(points.map(({ doubles }) => doubles?.slice(0, 2))).toEqual([
    [0, 0],
    [10, 0],
    [0, 10],
    [0, expect.any(Number)],
  ])
  expect(JSON.stringify(points)).not.toContain("secret")
})

test("[BUDGET2] a budget that is spent is told with the time at which it is over", async () => {
  const path = newStream()
  await create(path, "application/json", { headers: { "stream-budget": "0.000001" } })
  const refused = await append(path, "1")
  expect(refused.status).toBe(429)
  expect(refused.headers.get("stream-resumes-at")).toMatch(/^\d{4}-\d\d-\d\dT00:00:00Z$/)
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1)
  expect((await ask(path)).status).toBe(200)
  expect((await ask(path, { method: "PATCH", headers: { "stream-budget": "none" } })).status).toBe(204)
  expect((await append(path, "1")).status).toBe(204)
})

test("[EDGE9] the meter adds no row to an append, and asking for it writes none", async () => {
  const path = newStream()
  await create(path)
  await append(path, "[1]")
  const written = async () => (await meterOf(path)).total.rowsWritten!
  const before = await written()
  expect(await written()).toBe(before)
  await append(path, "[1,2]", producer("p", 0, 0))
  expect((await written()) - before).toBe(2)
  const rows = await runInDurableObject(objectOf(path), (_, { storage }) => [
    ...storage.sql.exec("SELECT meter FROM batches"),
  ])
  expect(rows.map(({ meter }) => String(meter).length).every((length) => length < 200)).toBe(true)
})
