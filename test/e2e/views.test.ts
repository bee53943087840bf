import type { Page } from "playwright-core"
import { expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, rowsOf, visit } from "../support/visit.ts"

const stage = setStage()
const COUNT = 3_000
const COUNTED = "SELECT COUNT(*) AS count FROM lines"

async function fill(path: string, count = COUNT): Promise<void> {
  const url = `${stage.edge.url}/v1/stream/${path}/lines`
  const headers = { "content-type": "application/json" }
  await fetch(url, { method: "PUT", headers })
  const events = Array.from({ length: count }, (_, n) => ({
    id: `${path}-${n}`,
    type: "line.added",
    source: "test",
    time: "2026-11-01T00:00:00.000Z",
    data: { author: "edge", n, text: `line ${n}` },
  }))
  expect((await fetch(url, { method: "POST", headers, body: JSON.stringify(events) })).ok).toBe(true)
}

/** How many views this browser has written down. */
function snapshotsOf(page: Page): Promise<number> {
  return page.evaluate(async () => {
    const names = (await indexedDB.databases()).flatMap(({ name }) => name ?? [])
    const name = names.find((found) => found.endsWith(":state"))
    if (name === undefined) return 0
    const db = await new Promise<IDBDatabase>((resolve, reject) => {
      const opening = indexedDB.open(name)
      opening.onsuccess = () => resolve(opening.result)
      opening.onerror = () => reject(opening.error)
    })
    const count = await new Promise<number>((resolve) => {
      const counting = db.transaction("images").objectStore("images").count()
      counting.onsuccess = () => resolve(counting.result)
    })
    db.close()
    return count
  })
}

const countOf = async (page: Page) => (await page.evaluate((sql) => app.view.query(sql), COUNTED))[0]?.count

test("[VIEW37] [VIEW44] the next visit has its rows from what the last one has written down, and they are right", async () => {
  const path = "views/snapshot"
  await fill(path)
  const context = await stage.browser.newContext()
  const first = await visit(context, stage.site.url, stage.wire.url, path)
  await expect.poll(() => countOf(first)).toBe(COUNT)
  await expect.poll(() => snapshotsOf(first)).toBe(1)
  await first.close()
  stage.wire.cut()

  const second = await visit(context, stage.site.url, stage.wire.url, path)
  expect(await countOf(second)).toBe(COUNT)
  await second.evaluate(() => app.add("me", 1))
  expect((await rowsOf(second)).at(-1)).toMatchObject({ author: "me", n: 1, times: 1 })
  expect(await second.evaluate(() => app.view.verify())).toMatchObject({ isEqual: true, tables: [] })
  stage.wire.mend()
  await expect.poll(() => second.evaluate(() => app.confirmed)).toBe(1)
  expect(await second.evaluate(() => app.view.verify())).toMatchObject({ isEqual: true })
  await context.close()
})

test("[VIEW40] a view shows any place of its log, while it goes on by itself", async () => {
  const path = "views/past"
  await fill(path, 20)
  const context = await stage.browser.newContext()
  const page = await visit(context, stage.site.url, stage.wire.url, path)
  await expect.poll(() => countOf(page)).toBe(20)
  const counts = await page.evaluate(
    async ([stream, sql]) => {
      const found: unknown[] = []
      for await (const { offset } of app.lines.read()) {
        const past = await app.view.at({ [stream]: offset })
        found.push((await past.query(sql))[0]?.count)
        await past.close()
      }
      return found
    },
    [`${path}/lines`, COUNTED] as const,
  )
  expect(counts).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
  await context.close()
})

test("[VIEW38] [VIEW39] a source that stands still goes on when its event is skipped, or with another definition", async () => {
  const path = "views/poison"
  await fill(path, 5)
  const context = await stage.browser.newContext()
  const page = await visit(context, stage.site.url, stage.wire.url, path)
  await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
  const seen = await page.evaluate(async (stream) => {
    const { z, defineStream, defineView } = headwater
    const lines = defineStream({
      "line.added": z.object({ author: z.string(), n: z.int(), text: z.string() }),
    })
    const strictly = (check: string) =>
      defineView({
        lines: {
          from: lines,
          table: `CREATE TABLE few (n INTEGER CHECK (${check})) STRICT`,
          on: { "line.added": "INSERT INTO few VALUES (:n)" },
        },
      })
    const view = await app.client.view(strictly("n <> 2"), { lines: stream })
    const all = async () => (await view.query("SELECT n FROM few ORDER BY n")).map(({ n }) => n)
    const halt = await new Promise<{ source: string; eventId: never; offset?: string }>((resolve) => {
      app.client.onStatus(({ halts: [first] }) => first !== undefined && resolve(first as never))
    })
    const halted = await all()
    await view.skip(halt)
    const skipped = await all()
    await view.redefine(strictly("n < 100"), { lines: stream })
    return { halted, skipped, redefined: await all(), offset: halt.offset }
  }, `${path}/lines`)
  expect(seen).toMatchObject({ halted: [0, 1], skipped: [0, 1, 3, 4], redefined: [0, 1, 2, 3, 4] })
  expect(seen.offset).toEqual(expect.any(String))
  await context.close()
})
