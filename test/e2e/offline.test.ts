import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { layWire, type Wire } from "../support/proxy.ts"
import { type Site, serveSite } from "../support/site.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

let edge: TestEdge
let wire: Wire
let site: Site
let browser: Browser

beforeAll(async () => {
  ;[edge, site, browser] = await Promise.all([startEdge(), serveSite("e2e/app"), launchChromium()])
  wire = await layWire(edge.url)
})

afterAll(async () => {
  await browser?.close()
  await Promise.all([site?.close(), wire?.close()])
  await edge?.stop()
})

/** What ends a page in the very task in which it has appended. */
const ENDINGS = {
  reload: (page: Page) => page.evaluate(() => (app.burst("A", 0, 200), location.reload())).catch(() => {}),
  navigation: (page: Page) =>
    page.evaluate(() => (app.burst("A", 0, 200), location.assign("about:blank"))).catch(() => {}),
  close: (page: Page) => page.evaluate(() => (app.burst("A", 0, 200), window.close())).catch(() => {}),
  kill: async (page: Page) => {
    await page.evaluate(() => app.burst("A", 0, 200))
    await page.close({ runBeforeUnload: false })
  },
}

describe("two browsers and one edge", () => {
  test.each(Object.entries(ENDINGS))(
    "[LOG7] 200 events appended offline in one task survive %s in that task, and all meet in one order",
    async (name, end) => {
      const path = `offline/${name}`
      const [contextA, contextB] = await Promise.all([browser.newContext(), browser.newContext()])
      const [first, b] = await Promise.all([
        visit(contextA, site.url, wire.url, path),
        visit(contextB, site.url, edge.url, path),
      ])
      await expect.poll(() => connectionOf(first, `${path}/lines`)).toBe("live")
      wire.cut()
      await end(first)
      await b.evaluate(() => app.burst("B", 0, 50))

      const a = await visit(contextA, site.url, wire.url, path)
      expect((await rowsOf(a)).filter(({ author }) => author === "A")).toHaveLength(200)
      await a.evaluate(() => app.burst("A", 200, 20))
      wire.mend()

      await expect.poll(() => pendingOf(a), { timeout: 20_000 }).toBe(0)
      await expect.poll(async () => (await rowsOf(b)).length, { timeout: 20_000 }).toBe(270)
      await expect.poll(async () => (await rowsOf(a)).length, { timeout: 20_000 }).toBe(270)
      const rows = await rowsOf(a)
      expect(rows).toEqual(await rowsOf(b))
      expect(rows.every(({ times }) => times === 1)).toBe(true)
      expect(rows.filter(({ author }) => author === "A").map(({ n }) => n)).toEqual(
        Array.from({ length: 220 }, (_, n) => n),
      )

      const log = (await (await fetch(`${edge.url}/v1/stream/${path}/lines`)).json()) as {
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
    const [contextA, contextB] = await Promise.all([browser.newContext(), browser.newContext()])
    const [a, b] = await Promise.all([
      visit(contextA, site.url, edge.url, path),
      visit(contextB, site.url, edge.url, path),
    ])
    await a.evaluate(async () => {
      await app.name("A", "Ada")
      await app.add("A", 1)
    })
    expect(await a.evaluate(() => app.joined)).toEqual([{ name: "Ada", count: 1 }])
    await expect.poll(() => b.evaluate(() => app.joined)).toEqual([{ name: "Ada", count: 1 }])
    await b.evaluate(() => app.add("A", 2))
    await expect.poll(() => a.evaluate(() => app.joined)).toEqual([{ name: "Ada", count: 2 }])
    await Promise.all([contextA.close(), contextB.close()])
  })
})
