import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { newIssuer, seconds } from "../support/issuer.ts"
import { type Site, serveSite } from "../support/site.ts"
import { connectionOf, pendingOf, rowsOf } from "../support/visit.ts"

declare global {
  /** What the test gives the app for a token; it rejects while the test has none. */
  var giveToken: () => Promise<string>
}

const issuer = await newIssuer()
let site: Site
let edge: TestEdge
let browser: Browser
let contexts: BrowserContext[] = []

beforeAll(async () => {
  site = await serveSite("e2e/app")
  const origin = new URL(site.url).origin
  edge = await startEdge({ vars: { ...issuer.vars, ALLOWED_ORIGINS: origin } })
  browser = await launchChromium()
})

afterAll(async () => {
  await Promise.all(contexts.map((context) => context.close()))
  await browser?.close()
  await Promise.all([site?.close(), edge?.stop()])
})

/** A browser of its own whose app says that it is `account`, and shows what `give` gives. */
async function visitAs(account: string, path: string, give: () => Promise<string>): Promise<Page> {
  const context = await browser.newContext()
  contexts = [...contexts, context]
  const page = await context.newPage()
  await page.exposeFunction("giveToken", give)
  await page.goto(site.url)
  await page.evaluate(([to, at, of]) => app.open(to, at, of, () => giveToken()), [
    edge.url,
    path,
    account,
  ] as const)
  return page
}

const lastErrorOf = (page: Page, stream: string) =>
  page.evaluate((of) => app.status().streams[of]?.lastError, stream)

async function logOf(path: string): Promise<{ source: string }[]> {
  const headers = { authorization: `Bearer ${await issuer.token("auditor")}` }
  return (await fetch(`${edge.url}/v1/stream/${path}/lines`, { headers })).json()
}

describe("an edge that asks who calls", () => {
  test("[ACCESS6] a page with account and token appends in its name, and another reads it as it happens", async () => {
    const path = "access/two"
    const [ada, bob] = await Promise.all([
      visitAs("ada", path, () => issuer.token("ada")),
      visitAs("bob", path, () => issuer.token("bob")),
    ])
    await expect.poll(() => connectionOf(bob, `${path}/lines`)).toBe("live")
    await ada.evaluate(() => app.burst("A", 0, 20))
    await expect.poll(async () => (await rowsOf(bob)).length).toBe(20)
    await expect.poll(() => pendingOf(ada)).toBe(0)
    await bob.evaluate(() => app.add("B", 0))
    await expect.poll(async () => (await rowsOf(ada)).length).toBe(21)
    const sources = new Set((await logOf(path)).map(({ source }) => source.replace(/\/.*/, "/")))
    expect([...sources]).toEqual(["ada/", "bob/"])
  })

  test("[CONN9] without a token the client waits and keeps its events; with one it goes on by itself", async () => {
    const path = "access/waiting"
    let isSignedIn = false
    const page = await visitAs("ada", path, async () => {
      if (isSignedIn) return issuer.token("ada")
      throw new Error("signed out")
    })
    await page.evaluate(() => app.burst("A", 0, 5))
    await expect.poll(() => lastErrorOf(page, `${path}/lines`)).toMatchObject({ code: "unauthorized" })
    expect((await lastErrorOf(page, `${path}/lines`))?.message).toContain("signed out")
    expect(await rowsOf(page)).toHaveLength(5)
    isSignedIn = true
    await expect.poll(() => pendingOf(page)).toBe(0)
    await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
    expect(await logOf(path)).toHaveLength(5)
  })

  test("[CONN9] a token that ends while a socket is open is followed by another, and no event is lost", async () => {
    const path = "access/short"
    let given = 0
    const page = await visitAs("ada", path, () => {
      given++
      return issuer.token("ada", undefined, { exp: seconds() + 3 - LIMITS.clockToleranceMs / 1000 })
    })
    await expect.poll(() => connectionOf(page, `${path}/lines`)).toBe("live")
    const before = given
    let n = 0
    const appended = async () => {
      await page.evaluate((at) => app.add("A", at), n++)
      return given
    }
    await expect.poll(appended).toBeGreaterThan(before + 4) // each connection asks twice: to read, and for a ticket
    await expect.poll(() => logOf(path)).toHaveLength(n)
    await expect.poll(() => pendingOf(page)).toBe(0)
    const rows = await rowsOf(page)
    expect(rows.map((row) => row.n)).toEqual(Array.from({ length: n }, (_, at) => at))
    expect(rows.every(({ times }) => times === 1)).toBe(true)
  })

  test("[ACCESS6] events in another's name are refused for good, leave the rows and are listed", async () => {
    const path = "access/foreign"
    const page = await visitAs("eve", path, () => issuer.token("ada"))
    await page.evaluate(() => app.burst("E", 0, 3))
    await expect.poll(() => page.evaluate(() => app.rejected)).toBe(3)
    expect(await rowsOf(page)).toEqual([])
    const rejected = await page.evaluate(() => app.lines.rejected())
    expect(rejected.map(({ data, error }) => [(data as { n: number }).n, error.code])).toEqual([
      [0, "rejected"],
      [1, "rejected"],
      [2, "rejected"],
    ])
    expect(rejected[0]?.error.message).toMatch(/The source of an event is "ada"/)
    expect(await connectionOf(page, `${path}/lines`)).toBe("live")
    expect(await logOf(path)).toEqual([])
  })

  test("[ACCESS4] an account that may only read sees everything, and is told that it may not append", async () => {
    const path = "access/reader"
    const ada = await visitAs("ada", path, () => issuer.token("ada"))
    await ada.evaluate(() => app.burst("A", 0, 3))
    await expect.poll(() => pendingOf(ada)).toBe(0)
    const reader = await visitAs("bob", path, () => issuer.token("bob", { "access/**": ["read"] }))
    await expect.poll(async () => (await rowsOf(reader)).length).toBe(3)
    await reader.evaluate(() => app.add("B", 0))
    await expect.poll(() => connectionOf(reader, `${path}/lines`)).toBe("stopped")
    expect((await lastErrorOf(reader, `${path}/lines`))?.message).toMatch(/read the stream, not append/)
    expect(await logOf(path)).toHaveLength(3)
  })

  test("[ACCESS5] a page of an origin that is not listed gets nothing, and its events wait", async () => {
    const path = "access/origin"
    const context = await browser.newContext()
    contexts = [...contexts, context]
    const page = await context.newPage()
    const token = await issuer.token("ada")
    const elsewhere = new URL(site.url)
    elsewhere.hostname = "app.localhost"
    await page.goto(elsewhere.href)
    await page.evaluate(([to, at, shown]) => app.open(to, at, "ada", () => shown), [
      edge.url,
      path,
      token,
    ] as const)
    await page.evaluate(() => app.burst("A", 0, 3))
    await expect.poll(() => lastErrorOf(page, `${path}/lines`)).toMatchObject({ code: "unreachable" })
    await expect.poll(() => pendingOf(page)).toBe(3)
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${edge.url}/v1/stream/${path}/lines`, { headers })).status).toBe(404)
  })
})
