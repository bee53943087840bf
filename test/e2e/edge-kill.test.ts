import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { type Site, serveSite } from "../support/site.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const KILLS = Number(process.env.KILLS ?? 3)

let edge: TestEdge
let site: Site
let browser: Browser

beforeAll(async () => {
  ;[edge, site, browser] = await Promise.all([startEdge(), serveSite("e2e/app"), launchChromium()])
})

afterAll(async () => {
  await browser?.close()
  await Promise.all([site?.close(), edge?.stop()])
})

const confirmedOf = (page: Page) => page.evaluate(() => app.confirmed)

/** Appends one after another until told to stop, as fast as the disk takes them. */
const startAppending = (page: Page, author: string) =>
  page.evaluate((by) => {
    let n = 0
    const next = (): unknown => (Reflect.get(globalThis, "enough") ? n : app.add(by, n++).then(next))
    Reflect.set(globalThis, "appending", next())
  }, author)

const stopAppending = (page: Page) =>
  page.evaluate(async () => {
    Reflect.set(globalThis, "enough", true)
    await Reflect.get(globalThis, "appending")
  })

describe("an edge that is killed", () => {
  test(`[LOG10] ${KILLS} times while two clients append loses nothing that it acknowledged and doubles nothing`, async () => {
    const path = "killed/board"
    const contexts = await Promise.all([browser.newContext(), browser.newContext()])
    const pages = await Promise.all(contexts.map((context) => visit(context, site.url, edge.url, path)))
    for (const page of pages) await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
    await Promise.all(pages.map((page, i) => startAppending(page, `p${i}`)))
    for (let kill = 0; kill < KILLS; kill++) {
      const before = await Promise.all(pages.map(confirmedOf))
      for (const [i, page] of pages.entries()) {
        await expect.poll(() => confirmedOf(page), { timeout: 30_000 }).toBeGreaterThan((before[i] ?? 0) + 20)
      }
      await edge.kill()
      await edge.restart()
    }
    await Promise.all(pages.map(stopAppending))
    for (const page of pages) await expect.poll(() => pendingOf(page), { timeout: 60_000 }).toBe(0)

    const log = (await readAll(`${edge.url}/v1/stream/${path}/lines`)) as {
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
