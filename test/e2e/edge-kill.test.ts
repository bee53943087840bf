import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const KILLS = Number(process.env.KILLS ?? 3)

const stage = setStage()

const confirmedOf = (page: Page) => page.evaluate(() => app.confirmed)

describe("an edge that is killed", () => {
  test(`[LOG10] ${KILLS} times while two clients append loses nothing that it acknowledged and doubles nothing`, async () => {
    const path = "killed/board"
    const contexts = await Promise.all([stage.browser.newContext(), stage.browser.newContext()])
    const pages = await Promise.all(
      contexts.map((context) => visit(context, stage.site.url, stage.edge.url, path)),
    )
    for (const page of pages) await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
    const appending = pages.map((page, i) => page.evaluate((by) => app.keepAppending(by), `p${i}`))
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await Promise.all(pages.map(confirmedOf))
      for (const [i, page] of pages.entries()) {
        await expect.poll(() => confirmedOf(page), { timeout: 30_000 }).toBeGreaterThan((before[i] ?? 0) + 20)
      }
      await stage.edge.kill()
      await stage.edge.restart()
    }
    for (const page of pages) {
      await page.evaluate(() => {
        app.appending = false
      })
    }
    await Promise.all(appending)
    for (const page of pages) await expect.poll(() => pendingOf(page), { timeout: 60_000 }).toBe(0)

    const log = (await readAll(`${stage.edge.url}/v1/stream/${path}/lines`)) as {
      id: string
      data: { author: string; n: number }
    }[]
    expect(new Set(log.map(({ id }) => id)).size).toBe(log.length)
    for (const [i, page] of pages.entries()) {
      const own = log.filter(({ data }) => data.author === `p${i}`).map(({ data }) => data.n)
      expect(own).toEqual(own.map((_, n) => n))
      expect(own.length).toBeGreaterThanOrEqual(await confirmedOf(page))
      await expect.poll(async () => (await rowsOf(page)).length, { timeout: 30_000 }).toBe(log.length)
      expect((await rowsOf(page)).map(({ author, n }) => `${author}${n}`)).toEqual(
        log.map(({ data }) => `${data.author}${data.n}`),
      )
    }
    await Promise.all(contexts.map((context) => context.close()))
  })
})

/** The whole stream, page by page. */
async function readAll(url: string): Promise<unknown[]> {
  const messages: unknown[] = []
  for (let offset = "-1"; ; ) {
    const answer = await fetch(`${url}?offset=${offset}`)
    messages.push(...((await answer.json()) as unknown[]))
    offset = answer.headers.get("stream-next-offset") ?? ""
    if (answer.headers.get("stream-up-to-date") === "true") return messages
  }
}
