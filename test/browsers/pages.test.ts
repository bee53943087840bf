import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { layWire, type Wire } from "../support/proxy.ts"
import { type Site, serveSite } from "../support/site.ts"
import type { EngineBrowser, EnginePage } from "./engine.ts"
import { engineOf } from "./engines.ts"

const RUNS = 10
const BURST = 100
/** The status of a page that has just begun may be of before its streams were read: what the edge has is waited for. */
const UPLOAD_MS_MAX = 20_000

/**
 * Where the browser may give up what a page wrote in the task that ended it: whole, and before `append` has resolved.
 * docs/browsers.md says why.
 */
const MAY_LOSE: readonly string[] = ["firefox", "webkit"]

const engine = engineOf(inject("engine"))

let edge: TestEdge
let wire: Wire
let site: Site
let one: EngineBrowser
let other: EngineBrowser

beforeAll(async () => {
  edge = await startEdge()
  wire = await layWire(edge.url)
  site = await serveSite("e2e/app")
  one = await engine.launch()
  other = await engine.launch()
})
afterAll(async () => {
  await Promise.all([one?.close(), other?.close()])
  await Promise.all([site?.close(), wire?.close()])
  await edge?.stop()
})

beforeEach(() => wire.mend())

async function visit(browser: EngineBrowser, to: string, path: string): Promise<EnginePage> {
  const page = await browser.open(site.url)
  await page.evaluate((at, below) => app.open(at, below, below.replace("/", "-")), to, path)
  return page
}

const rowsOf = (page: EnginePage) => page.evaluate(() => app.rows())
const pendingOf = (page: EnginePage) => page.evaluate(() => app.pending())
const roleOf = (page: EnginePage) => page.evaluate(() => app.status().role ?? "none")
const connectionOf = (page: EnginePage, path: string) =>
  page.evaluate((of) => app.status().streams[`${of}/lines`]?.connection ?? "none", path)

/** What the edge has of a stream, in its order. */
async function logOf(path: string): Promise<string[]> {
  const answer = await fetch(`${edge.url}/v1/stream/${path}/lines`)
  if (!answer.ok) return []
  const events = (await answer.json()) as { data: { author: string; n: number } }[] // as the app appends
  return events.map(({ data }) => `${data.author}${data.n}`)
}

const numbered = (author: string, count: number) => Array.from({ length: count }, (_, n) => `${author}${n}`)

/** What ends a page in the very task in which it has appended. */
const ENDINGS: Record<string, (count: number) => void> = {
  reload: (count) => {
    app.burst("A", 0, count)
    location.reload()
  },
  navigation: (count) => {
    app.burst("A", 0, count)
    location.assign("about:blank")
  },
  close: (count) => {
    app.burst("A", 0, count)
    window.close()
  },
}

describe(`pages in ${engine.name}`, () => {
  test.each(Object.entries(ENDINGS))(
    "[LOG7] what was appended offline in one task survives %s in that task, and is sent once",
    async (name, end) => {
      const kept: string[] = []
      wire.cut()
      for (let run = 0; run < RUNS; run++) {
        const path = `${name}/${run}`
        const page = await visit(one, wire.url, path)
        await page.leave(end, BURST)
        const next = await visit(one, wire.url, path)
        const lines = (await rowsOf(next)).map(({ author, n }) => author + n)
        if (lines.length > 0) kept.push(path)
        if (lines.length > 0 || !MAY_LOSE.includes(engine.name)) expect(lines).toEqual(numbered("A", BURST))
        await next.close()
      }
      process.stdout.write(`${engine.name}: ${kept.length} of ${RUNS} survived ${name}\n`)
      wire.mend()
      for (const path of kept) {
        const page = await visit(one, wire.url, path)
        await expect.poll(() => logOf(path), { timeout: UPLOAD_MS_MAX }).toEqual(numbered("A", BURST))
        await expect.poll(() => pendingOf(page)).toBe(0)
        await page.close()
      }
    },
  )

  test("[LOG9] two browsers that append online and offline end with the same rows", async () => {
    const path = "two/browsers"
    const [a, b] = [await visit(one, wire.url, path), await visit(other, edge.url, path)]
    await expect.poll(() => connectionOf(a, path)).toBe("live")
    await a.evaluate(() => app.add("A", 0))
    await expect.poll(() => rowsOf(b)).toEqual([{ author: "A", n: 0, times: 1 }])
    wire.cut()
    await a.evaluate(() => app.burst("A", 1, 99))
    await b.evaluate(() => app.burst("B", 0, 50))
    await expect.poll(() => pendingOf(b)).toBe(0)
    await expect.poll(() => pendingOf(a)).toBe(99)
    wire.mend()
    await expect.poll(() => pendingOf(a)).toBe(0)
    const log = await logOf(path)
    expect(log.filter((line) => line.startsWith("A"))).toEqual(numbered("A", 100))
    expect(log.filter((line) => line.startsWith("B"))).toEqual(numbered("B", 50))
    const rows = log.map((line) => ({ author: line.slice(0, 1), n: Number(line.slice(1)), times: 1 }))
    await expect.poll(() => rowsOf(a)).toEqual(rows)
    await expect.poll(() => rowsOf(b)).toEqual(rows)
    await Promise.all([a.close(), b.close()])
  })

  test("[TAB2] when the leader's tab closes another takes over, and nothing that was flushed is lost", async () => {
    const path = "two/tabs"
    let leader = await visit(one, wire.url, path)
    await expect.poll(() => connectionOf(leader, path)).toBe("live")
    for (let run = 0; run < RUNS; run++) {
      const follower = await visit(one, wire.url, path)
      await expect.poll(() => connectionOf(follower, path)).toBe("live")
      expect([await roleOf(leader), await roleOf(follower)]).toEqual(["leader", "follower"])
      await leader.evaluate(async (n) => {
        await app.add("A", n)
        app.burst("B", n * 10, 10)
      }, run)
      await leader.close()
      await expect.poll(() => roleOf(follower)).toBe("leader")
      leader = follower
    }
    await expect.poll(() => pendingOf(leader)).toBe(0)
    const log = await logOf(path)
    expect(log.filter((line) => line.startsWith("A"))).toEqual(numbered("A", RUNS))
    const last = log.filter((line) => line.startsWith("B"))
    const whole = numbered("B", RUNS * 10).filter((_, n) => last.includes(`B${n - (n % 10)}`))
    expect(last).toEqual(MAY_LOSE.includes(engine.name) ? whole : numbered("B", RUNS * 10))
    await expect.poll(() => rowsOf(leader)).toHaveLength(log.length)
    await leader.close()
  })
})
