import { runInDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { append, ask, create, newStream, objectOf, producer } from "./edge-client.ts"

/**
 * Rows that the stream's object writes while `work` runs, as the storage counts and the platform bills them.
 */
async function rowsWritten(path: string, work: () => Promise<unknown>): Promise<number> {
  let written = 0
  const restore = await runInDurableObject(objectOf(path), (_, { storage: { sql } }) => {
    const exec = sql.exec
    sql.exec = ((...args: Parameters<typeof exec>) => {
      const cursor = exec.apply(sql, args)
      const rows = [...cursor]
      const { rowsRead, rowsWritten } = cursor
      written += rowsWritten
      return Object.assign(rows, { rowsRead, rowsWritten })
    }) as unknown as typeof exec // the object iterates what it gets, and counts its rows
    return () => {
      sql.exec = exec
    }
  })
  await work()
  await runInDurableObject(objectOf(path), () => restore())
  return written
}

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
