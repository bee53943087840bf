import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const stage = setStage()

/** What ends a page, in the very task in which it has appended or right behind it. */
const ENDINGS: Record<string, (page: Page) => Promise<void>> = {
  reload: (page) =>
    page.evaluate(() => {
      app.burst("A", 0, 200)
      location.reload()
    }),
  navigation: (page) =>
    page.evaluate(() => {
      app.burst("A", 0, 200)
      location.assign("about:blank")
    }),
  close: (page) =>
    page.evaluate(() => {
      app.burst("A", 0, 200)
      window.close()
    }),
  kill: async (page) => {
    await page.evaluate(() => app.burst("A", 0, 200))
    await page.close({ runBeforeUnload: false })
  },
}

describe("two browsers and one edge", () => {
  test.each(Object.entries(ENDINGS))(
    "[LOG7] 200 events appended offline in one task survive %s in that task, and all meet in one order",
    async (name, end) => {
      const path = `offline/${name}`
      const [contextA, contextB] = await Promise.all([stage.browser.newContext(), stage.browser.newContext()])
      const [first, b] = await Promise.all([
        visit(contextA, stage.site.url, stage.wire.url, path),
        visit(contextB, stage.site.url, stage.edge.url, path),
      ])
      await expect.poll(() => connectionOf(first, `${path}/lines`)).toBe("live")
      stage.wire.cut()
      await end(first).catch(() => {}) // the page that would answer is gone
      await b.evaluate(() => app.burst("B", 0, 50))

      const a = await visit(contextA, stage.site.url, stage.wire.url, path)
      expect((await rowsOf(a)).filter(({ author }) => author === "A")).toHaveLength(200)
      await a.evaluate(() => app.burst("A", 200, 20))
      stage.wire.mend()

      await expect.poll(() => pendingOf(a), { timeout: 20_000 }).toBe(0)
      await expect.poll(async () => (await rowsOf(b)).length, { timeout: 20_000 }).toBe(270)
      await expect.poll(async () => (await rowsOf(a)).length, { timeout: 20_000 }).toBe(270)
      const rows = await rowsOf(a)
      expect(rows).toEqual(await rowsOf(b))
      expect(rows.every(({ times }) => times === 1)).toBe(true)
      expect(rows.filter(({ author }) => author === "A").map(({ n }) => n)).toEqual(
        Array.from({ length: 220 }, (_, n) => n),
      )

      const log = (await (await fetch(`${stage.edge.url}/v1/stream/${path}/lines`)).json()) as {
        data: { author: string; n: number }
      }[]
      expect(log.map(({ data }) => `${data.author}${data.n}`)).toEqual(
        rows.map(({ author, n }) => `${author}${n}`),
      )
      await Promise.all([contextA.close(), contextB.close()])
    },
  )

  test("[LOG9] an append of one shows in the other's live query over two streams", async () => {
    const path = "offline/live"
    const [contextA, contextB] = await Promise.all([stage.browser.newContext(), stage.browser.newContext()])
    const [a, b] = await Promise.all([
      visit(contextA, stage.site.url, stage.edge.url, path),
      visit(contextB, stage.site.url, stage.edge.url, path),
    ])
    await a.evaluate(async () => {
      await app.name("A", "Ada")
      await app.add("A", 1)
    })
    expect(await rowsOf(a)).toEqual([{ author: "A", n: 1, times: 1 }]) // live rows come by themselves, beside the disk
    await expect.poll(() => a.evaluate(() => app.joined)).toEqual([{ name: "Ada", count: 1 }])
    await expect.poll(() => b.evaluate(() => app.joined)).toEqual([{ name: "Ada", count: 1 }])
    await b.evaluate(() => app.add("A", 2))
    await expect.poll(() => a.evaluate(() => app.joined)).toEqual([{ name: "Ada", count: 2 }])
    await Promise.all([contextA.close(), contextB.close()])
  })
})
