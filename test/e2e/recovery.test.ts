import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { type Site, serveSite } from "../support/site.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const PATIENCE_MS = 60_000
const SLOW = { timeout: 20_000 }

let folder = ""
let edge: TestEdge
let site: Site
let browser: Browser
const contexts: BrowserContext[] = []

const state = () => join(folder, "state")
const copy = () => join(folder, "copy")

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "headwater-recovery-"))
  const parts = await Promise.all([startEdge({ state: state() }), serveSite("e2e/app"), launchChromium()])
  edge = parts[0]
  site = parts[1]
  browser = parts[2]
}, PATIENCE_MS)

afterAll(async () => {
  await browser?.close()
  await Promise.all([site?.close(), edge?.stop()])
  await rm(folder, { recursive: true, force: true })
})

async function stopped(work: () => Promise<void>): Promise<void> {
  await edge.stop()
  await work()
  edge = await startEdge({ state: state(), port: Number(new URL(edge.url).port) })
}

const keepCopy = () => stopped(() => cp(state(), copy(), { recursive: true }))

const restoreCopy = () =>
  stopped(async () => {
    await rm(state(), { recursive: true })
    await cp(copy(), state(), { recursive: true })
  })

async function visitNew(path: string): Promise<Page> {
  const context = await browser.newContext()
  contexts.push(context)
  return visit(context, site.url, edge.url, path)
}

const stopOf = (page: Page, path: string) =>
  page.evaluate((of) => {
    const status = app.status().streams[of]
    return [status?.stopReason, status?.lastError?.code]
  }, `${path}/lines`)
const linesOf = async (page: Page) =>
  (await rowsOf(page)).map(({ author, n, times }) => `${author}${n}${times === 1 ? "" : "!"}`)

/** Two browsers that have read to the same place, `A` and `B` having appended one event each behind a kept copy. */
async function ahead(path: string): Promise<{ a: Page; b: Page }> {
  const [a, b] = [await visitNew(path), await visitNew(path)]
  await a.evaluate(() => app.burst("A", 0, 3))
  await expect.poll(() => linesOf(b), SLOW).toEqual(["A0", "A1", "A2"])
  await keepCopy()
  await expect.poll(() => connectionOf(a, `${path}/lines`), SLOW).toBe("live")
  await a.evaluate(() => app.add("A", 3))
  await expect.poll(() => linesOf(b), SLOW).toEqual(["A0", "A1", "A2", "A3"])
  await b.evaluate(() => app.add("B", 0))
  for (const page of [a, b])
    await expect.poll(() => linesOf(page), SLOW).toEqual(["A0", "A1", "A2", "A3", "B0"])
  return { a, b }
}

describe("an edge that was put back to an older copy", () => {
  test("[CONFLICT7] each device gives back its own events, and what waited goes behind them", {
    timeout: PATIENCE_MS,
  }, async () => {
    const path = "recovery/back"
    const { a, b } = await ahead(path)
    await restoreCopy()
    for (const page of [a, b]) {
      await expect.poll(() => stopOf(page, path), SLOW).toEqual(["rolled-back", "rolled-back"])
      expect(await linesOf(page)).toEqual(["A0", "A1", "A2", "A3", "B0"])
    }
    const confirmed = a.evaluate(() =>
      app.lines.append("line.added", { author: "A", n: 4, text: "waits" }).then((receipt) =>
        receipt.confirmed.then(
          () => "confirmed",
          ({ code }) => code,
        ),
      ),
    )
    expect(await confirmed).toBe("rolled-back")
    await expect.poll(() => pendingOf(a)).toBe(1)

    await a.evaluate(() => app.lines.recover({ reappend: "own" }))
    await expect.poll(() => linesOf(a), SLOW).toEqual(["A0", "A1", "A2", "A3", "A4"])
    await expect.poll(() => pendingOf(a), SLOW).toBe(0)
    await b.evaluate(() => app.lines.recover({ reappend: "own" }))
    for (const page of [a, b])
      await expect.poll(() => linesOf(page), SLOW).toEqual(["A0", "A1", "A2", "A3", "A4", "B0"])
    await expect.poll(() => pendingOf(b)).toBe(0)
    await expect.poll(() => connectionOf(b, `${path}/lines`)).toBe("live")
    await b.evaluate(() => app.lines.recover({ reappend: "all" })) // nothing has to be done
    expect(await linesOf(b)).toEqual(["A0", "A1", "A2", "A3", "A4", "B0"])
  })

  test("[CONFLICT6] an edge that has gone another way since is told apart, and can be followed", {
    timeout: PATIENCE_MS,
  }, async () => {
    const path = "recovery/apart"
    const { a, b } = await ahead(path)
    await Promise.all([a, b].map((page) => page.context().setOffline(true)))
    for (const page of [a, b]) await page.evaluate(() => app.client.pause())
    await restoreCopy()
    const other = { id: crypto.randomUUID(), type: "line.added", data: { author: "C", n: 0, text: "new" } }
    const headers = { "content-type": "application/json" }
    const url = `${edge.url}/v1/stream/${path}/lines`
    expect((await fetch(url, { method: "POST", headers, body: JSON.stringify(other) })).status).toBe(204)
    await Promise.all([a, b].map((page) => page.context().setOffline(false)))
    for (const page of [a, b]) {
      await page.evaluate(() => app.client.resume())
      await expect.poll(() => stopOf(page, path), SLOW).toEqual(["diverged", "diverged"])
      expect(await linesOf(page)).toEqual(["A0", "A1", "A2", "A3", "B0"])
    }
    const second = await visit(a.context(), site.url, edge.url, path)
    await expect.poll(() => linesOf(second)).toEqual(["A0", "A1", "A2", "A3", "B0"])

    await second.evaluate(() => app.lines.recover({ reappend: "all" }))
    await b.evaluate(() => app.lines.recover({ reappend: "none" }))
    for (const page of [a, second, b])
      await expect.poll(() => linesOf(page), SLOW).toEqual(["A0", "A1", "A2", "C0", "A3", "B0"])
    await expect.poll(() => pendingOf(a)).toBe(0)
  })
})
