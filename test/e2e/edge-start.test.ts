import type { BrowserContext, Page } from "playwright-core"
import { expect, test } from "vitest"
import type { ViewHash } from "../../client/index.ts"
import { viewData } from "../../shared/index.ts"
import { LIMITS } from "../../shared/limits.ts"
import { setStage } from "../support/stage.ts"
import { connectionOf, pendingOf } from "../support/visit.ts"
import { board } from "./app/board.ts"

const stage = setStage({ vars: { VIEW_SNAPSHOT_MS_INTERVAL: "1000", HOT_BYTES_MIN: "2097152" } })
const JSON_TYPE = { "content-type": "application/json" }
const COUNT = LIMITS.viewSnapshotMessagesMin + 1_000
const BATCH = 500

const streamAt = (stream: string) => `${stage.edge.url}/v1/stream/${stream}`
const viewAt = (name: string) => `${stage.edge.url}/v1/view/${name}`

async function post(stream: string, events: readonly object[]): Promise<void> {
  const body = JSON.stringify(events)
  const answer = await fetch(streamAt(stream), { method: "POST", headers: JSON_TYPE, body })
  expect(answer.status).toBeLessThan(300)
}

const lineOf = (n: number) => ({
  id: `line-${n}`,
  type: "line.added",
  source: "script",
  time: "2026-11-25T00:00:00.000Z",
  data: { author: "script", n, text: `line ${n}` },
})

/** An edge with many lines and one name, and a view of them that is written down. Answers the view's name. */
async function written(path: string, make: Record<string, string> = {}): Promise<string> {
  const [lines, authors] = [`${path}/lines`, `${path}/authors`]
  for (const stream of [lines, authors])
    await fetch(streamAt(stream), { method: "PUT", headers: { ...JSON_TYPE, ...make } })
  await post(authors, [
    { ...lineOf(0), id: "name", type: "author.named", data: { author: "script", name: "A script" } },
  ])
  const name = `${path}-board`
  const body = JSON.stringify({ view: viewData(board), streams: { lines, authors } })
  expect((await fetch(viewAt(name), { method: "PUT", headers: JSON_TYPE, body })).status).toBe(201)
  for (let n = 0; n < COUNT; n += BATCH)
    await post(
      lines,
      Array.from({ length: BATCH }, (_, at) => lineOf(n + at)),
    )
  const isWritten = async () => (await fetch(`${viewAt(name)}/snapshot`)).status
  await expect.poll(isWritten, { timeout: 60_000 }).toBe(200)
  return name
}

async function open(context: BrowserContext, path: string, edgeView?: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(stage.site.url)
  const [to, at, name] = [stage.wire.url, path, edgeView]
  await page.evaluate(([edge, of, view]) => app.open(edge, of, "default", undefined, view), [
    to,
    at,
    name,
  ] as const)
  return page
}

const countOf = (page: Page) =>
  page.evaluate(async () => (await app.view.query("SELECT COUNT(*) AS n FROM lines"))[0]?.n)
const startOf = (page: Page) => page.evaluate(() => app.status().views[0]?.edgeStart)

test("[VIEW45] [VIEW47] [EVIEW16] a new browser begins with the edge's rows, goes on live, offline and back to the log's beginning", async () => {
  const name = await written("start")
  const context = await stage.browser.newContext()
  const page = await open(context, "start", name)
  await expect.poll(() => startOf(page)).toEqual({ kind: "begun" })
  expect(await countOf(page)).toBeGreaterThanOrEqual(LIMITS.viewSnapshotMessagesMin)
  await expect.poll(() => countOf(page)).toBe(COUNT)
  expect(await page.evaluate(() => app.view.query("SELECT name FROM authors"))).toEqual([
    { name: "A script" },
  ])
  const edge = (await (await fetch(`${viewAt(name)}/hash`)).json()) as ViewHash
  expect(await page.evaluate(() => app.view.hash())).toMatchObject({ view: edge.view, cursor: edge.cursor })

  await expect.poll(() => connectionOf(page, "start/lines")).toBe("live")
  await post("start/lines", [lineOf(COUNT)])
  await expect.poll(() => countOf(page)).toBe(COUNT + 1)
  await page.evaluate(() => app.burst("me", 0, 5))
  await expect.poll(() => countOf(page)).toBe(COUNT + 6)
  await expect.poll(() => page.evaluate(() => app.confirmed)).toBe(5)
  await page.close()

  stage.wire.cut()
  const offline = await open(context, "start", name)
  expect(await countOf(offline)).toBe(COUNT + 6)
  const whole = () =>
    offline.evaluate(async () => {
      let count = 0
      for await (const _ of app.lines.read()) count++
      return count
    })
  await expect(whole()).rejects.toThrow("is not on this device. The edge did not answer")
  stage.wire.mend()
  await expect.poll(() => connectionOf(offline, "start/lines"), { timeout: 20_000 }).toBe("live")
  expect(await whole()).toBe(COUNT + 6)
  expect(await offline.evaluate(() => app.view.verify())).toMatchObject({ isEqual: true })
  await context.close()
}, 120_000)

test("[VIEW45] a trimmed log is no obstacle for who begins with rows, and one for who does not", async () => {
  const name = await written("trimmed", { "stream-retention-bytes": "20000" })
  const isTrimmed = async () => (await fetch(`${streamAt("trimmed/lines")}?offset=-1`)).status
  await expect.poll(isTrimmed, { timeout: 60_000 }).toBe(410)
  const context = await stage.browser.newContext()
  const page = await open(context, "trimmed", name)
  await expect.poll(() => startOf(page)).toEqual({ kind: "begun" })
  await expect.poll(() => countOf(page)).toBe(COUNT)
  await page.evaluate(() => app.burst("me", 0, 3))
  await expect.poll(() => page.evaluate(() => app.confirmed)).toBe(3)
  await expect.poll(() => pendingOf(page)).toBe(0)

  const other = await open(await stage.browser.newContext(), "trimmed")
  await expect
    .poll(() => other.evaluate(() => app.status().streams["trimmed/lines"]?.stopReason))
    .toBe("diverged")
}, 120_000)
