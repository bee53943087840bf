import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const stage = setStage()

/** What makes an account's database go away under the tabs that use it. */
const DELETIONS: Record<string, (page: Page) => Promise<unknown>> = {
  "another tab or the developer tools": (page) =>
    page.evaluate(async () => {
      for (const { name } of await indexedDB.databases()) {
        await new Promise((resolve, reject) => {
          const request = indexedDB.deleteDatabase(name ?? "")
          request.onsuccess = resolve
          request.onerror = reject
        })
      }
    }),
  "the browser, with all data of the site": async (page) => {
    const session = await page.context().newCDPSession(page)
    const { origin } = new URL(page.url())
    await session.send("Storage.clearDataForOrigin", { origin, storageTypes: "indexeddb" })
  },
}

async function logOf(path: string): Promise<string[]> {
  const answer = await fetch(`${stage.edge.url}/v1/stream/${path}/lines`)
  const events = (await answer.json()) as { id: string; data: { author: string; n: number } }[]
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  return events.map(({ data }) => `${data.author}${data.n}`)
}

describe("a database that is deleted under its tabs", () => {
  test.each(Object.entries(DELETIONS))(
    "[RESCUE1] by %s: what waited is kept, once, and what the edge has is read again",
    async (by, deleteAll) => {
      const path = `storage/deleted/${by.length}`
      const context = await stage.browser.newContext()
      const one = await visit(context, stage.site.url, stage.wire.url, path)
      await one.evaluate(() => app.add("before", 0))
      await expect.poll(() => one.evaluate(() => app.confirmed)).toBe(1)
      const two = await visit(context, stage.site.url, stage.wire.url, path)
      stage.wire.cut()
      await one.evaluate(() => app.burst("one", 0, 50))
      await two.evaluate(() => app.burst("two", 0, 20))
      await expect.poll(() => pendingOf(one)).toBe(70)
      await expect.poll(() => pendingOf(two)).toBe(70)

      await deleteAll(one)
      await one.evaluate(() => app.add("after", 1))
      await two.evaluate(() => app.add("after", 2))
      await expect.poll(async () => (await rowsOf(two)).length).toBe(72)
      await expect.poll(async () => (await rowsOf(one)).length).toBe(72)
      stage.wire.mend()

      for (const page of [one, two]) {
        await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
        await expect.poll(() => pendingOf(page)).toBe(0)
        await expect
          .poll(async () => (await rowsOf(page)).map(({ times }) => times))
          .toEqual(Array(73).fill(1))
      }
      const log = await logOf(path)
      expect(log).toHaveLength(73)
      expect(log.filter((line) => line.startsWith("one"))).toEqual(
        Array.from({ length: 50 }, (_, n) => `one${n}`),
      )
      await expect.poll(() => one.evaluate(() => app.confirmed)).toBe(52)
      await expect.poll(() => two.evaluate(() => app.confirmed)).toBe(21)
      await context.close()
    },
  )

  test("[RESCUE2] what was kept is on the disk: it is there for the next visit", async () => {
    const path = "storage/next"
    const context = await stage.browser.newContext()
    stage.wire.cut()
    const first = await visit(context, stage.site.url, stage.wire.url, path)
    await first.evaluate(() => app.burst("one", 0, 50))
    await expect.poll(() => pendingOf(first)).toBe(50)
    await DELETIONS["another tab or the developer tools"]?.(first)
    await first.evaluate(() => app.add("after", 1))
    const second = await visit(context, stage.site.url, stage.wire.url, path)
    await expect.poll(() => pendingOf(second)).toBe(51)
    await first.close()
    await second.close()
    const third = await visit(context, stage.site.url, stage.wire.url, path)
    await expect.poll(() => pendingOf(third)).toBe(51)
    stage.wire.mend()
    await expect.poll(() => pendingOf(third)).toBe(0)
    expect(await logOf(path)).toHaveLength(51)
    await context.close()
  })
})
