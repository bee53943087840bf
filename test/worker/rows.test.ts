import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { append, ask, create, newStream, objectOf, producer } from "./edge-client.ts"
import { rowsWritten } from "./row-count.ts"

test("[EDGE9] an append writes one row, and one more for its producer; a duplicate and a read write none", async () => {
  const path = newStream()
  await create(path)
  expect(await rowsWritten(path, () => append(path, "[1,2,3]", producer("p", 0, 0)))).toBe(2)
  expect(await rowsWritten(path, () => append(path, "[4]", producer("p", 0, 1)))).toBe(2)
  expect(await rowsWritten(path, () => append(path, "[5]"))).toBe(1)
  expect(await rowsWritten(path, () => append(path, "[4]", producer("p", 0, 1)))).toBe(0)
  expect(await rowsWritten(path, () => ask(path))).toBe(0)
})

test("[EDGE9] asking for a stream that is not there writes nothing", async () => {
  const path = newStream()
  for (const method of ["GET", "HEAD", "POST", "DELETE"]) {
    const body = method === "POST" ? "1" : null
    const headers = { "content-type": "application/json" }
    expect((await ask(path, { method, body, headers })).status).toBe(404)
  }
  const tables = await runInDurableObject(objectOf(path), (_, { storage }) => [
    ...storage.sql.exec("SELECT name FROM sqlite_master WHERE name IN ('stream', 'batches', 'producers')"),
  ])
  expect(tables).toEqual([])
})

/** An event as apps append them, of 156 bytes or more. */
function event(n: number, padding = ""): string {
  const data = { order: `order-${n}`, sku: "tea", quantity: 2, note: padding }
  return JSON.stringify({ id: crypto.randomUUID(), type: "order.placed", source: "till", data })
}

async function segmentsOf(path: string): Promise<number> {
  const { segments } = await (await ask(`${path}?segments=true`)).json<{ segments: unknown[] }>()
  return segments.length
}

const APPENDS_MAX = 20_000

/** Appends until so many segments are sealed and pruned. Answers how many rows that wrote for each event. */
async function rowsPerEvent(path: string, segments: number, body: (n: number) => string, count: number) {
  await create(path)
  let appends = 0
  const written = await rowsWritten(path, async () => {
    while ((await segmentsOf(path)) < segments && appends < APPENDS_MAX) {
      for (let n = 0; n < 50; n++, appends++)
        expect((await append(path, body(appends), producer("p", 0, appends))).status).toBe(200)
      await runDurableObjectAlarm(objectOf(path)) // the test runtime rings none by itself
    }
  })
  expect(await segmentsOf(path)).toBe(segments)
  const toPrune = await runInDurableObject(objectOf(path), (_, { storage }) => {
    return Number(storage.sql.exec("SELECT count(*) AS rows FROM batches").one().rows)
  })
  const per = (written + toPrune) / (appends * count) // what waits to be pruned costs a row each as well
  const rows = `${written} rows written and ${toPrune} to be pruned`
  console.log(`${appends} appends of ${count} events: ${rows}, ${per.toFixed(4)} an event`)
  return per
}

test("[EDGE9] batches of 100 events cost at most 0.035 rows an event, with marks, sealing and pruning", {
  timeout: 120_000,
}, async () => {
  const batch = (n: number) => `[${Array.from({ length: 100 }, (_, at) => event(n * 100 + at)).join(",")}]`
  expect(await rowsPerEvent(newStream(), 3, batch, 100)).toBeLessThanOrEqual(0.035)
})

test("[EDGE9] events appended one by one cost at most 3.2 rows each, with marks, sealing and pruning", {
  timeout: 120_000,
}, async () => {
  const padding = "x".repeat(4_000)
  expect(await rowsPerEvent(newStream(), 2, (n) => event(n, padding), 1)).toBeLessThanOrEqual(3.2)
})

test("[EDGE9] appends that come together share a row", async () => {
  const path = newStream()
  await create(path)
  const together = () => Promise.all(Array.from({ length: 64 }, (_, n) => append(path, `${n}`)))
  const written = await rowsWritten(path, together)
  console.log(`64 appends at a time: ${written} rows written`)
  expect(written).toBeLessThan(32)
  expect(await (await ask(path)).json()).toHaveLength(64)
})
