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

const roleOf = (page: Page) => page.evaluate(() => app.status().role)

describe("tabs of one profile", () => {
  test("[TAB2] share one socket a stream; closing the leader hands over; an append in either shows in the other", async () => {
    const path = "tabs/two"
    const context = await browser.newContext()
    const one = await visit(context, site.url, wire.url, path)
    await expect.poll(() => connectionOf(one, `${path}/lines`)).toBe("live")
    const two = await visit(context, site.url, wire.url, path)
    await expect.poll(() => connectionOf(two, `${path}/lines`)).toBe("live")
    expect([await roleOf(one), await roleOf(two)]).toEqual(["leader", "follower"])
    expect(wire.webSockets()).toBe(2) // lines and authors

    await two.evaluate(() => app.add("two", 1))
    await one.evaluate(() => app.add("one", 2))
    await expect.poll(() => rowsOf(one)).toHaveLength(2)
    await expect.poll(() => rowsOf(two)).toHaveLength(2)
    await expect.poll(() => two.evaluate(() => app.confirmed)).toBe(1)

    await two.evaluate(() => app.burst("two", 10, 50))
    await one.close()
    await expect.poll(() => roleOf(two)).toBe("leader")
    await two.evaluate(() => app.add("two", 60))
    await expect.poll(() => pendingOf(two)).toBe(0)
    await expect.poll(() => wire.webSockets()).toBe(2)
    const log = (await (await fetch(`${edge.url}/v1/stream/${path}/lines`)).json()) as { id: string }[]
    expect(log).toHaveLength(53)
    expect(new Set(log.map(({ id }) => id)).size).toBe(53)
    await expect.poll(async () => (await rowsOf(two)).map(({ times }) => times)).toEqual(Array(53).fill(1))
    await context.close()
  })

  test("[TAB4] what a closed tab left behind is sent by the next visit, whatever stream it opens", async () => {
    const context = await browser.newContext()
    wire.cut()
    const first = await visit(context, site.url, wire.url, "tabs/left")
    await first.evaluate(() => app.burst("A", 0, 10))
    await expect.poll(() => pendingOf(first)).toBe(10)
    await first.close()
    wire.mend()
    await visit(context, site.url, wire.url, "tabs/other")
    await expect
      .poll(async () => {
        const answer = await fetch(`${edge.url}/v1/stream/tabs/left/lines`)
        return answer.ok ? ((await answer.json()) as unknown[]).length : 0
      })
      .toBe(10)
    await context.close()
  })
})
