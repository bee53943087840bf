import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, pendingOf, rowsOf, visit } from "../support/visit.ts"

const stage = setStage()

const roleOf = (page: Page) => page.evaluate(() => app.status().role)

describe("tabs of one profile", () => {
  test("[TAB2] share one socket a stream; closing the leader hands over; an append in either shows in the other", async () => {
    const path = "tabs/two"
    const context = await stage.browser.newContext()
    const one = await visit(context, stage.site.url, stage.wire.url, path)
    await expect.poll(() => connectionOf(one, `${path}/lines`)).toBe("live")
    const two = await visit(context, stage.site.url, stage.wire.url, path)
    await expect.poll(() => connectionOf(two, `${path}/lines`)).toBe("live")
    expect([await roleOf(one), await roleOf(two)]).toEqual(["leader", "follower"])
    expect(stage.wire.webSockets()).toBe(2) // lines and authors

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
    await expect.poll(() => stage.wire.webSockets()).toBe(2)
    const log = (await (await fetch(`${stage.edge.url}/v1/stream/${path}/lines`)).json()) as { id: string }[]
    expect(log).toHaveLength(53)
    expect(new Set(log.map(({ id }) => id)).size).toBe(53)
    await expect.poll(async () => (await rowsOf(two)).map(({ times }) => times)).toEqual(Array(53).fill(1))
    await context.close()
  })

  test("[TAB4] what a closed tab left behind is sent by the next visit, whatever stream it opens", async () => {
    const context = await stage.browser.newContext()
    stage.wire.cut()
    const first = await visit(context, stage.site.url, stage.wire.url, "tabs/left")
    await first.evaluate(() => app.burst("A", 0, 10))
    await expect.poll(() => pendingOf(first)).toBe(10)
    await first.close()
    stage.wire.mend()
    await visit(context, stage.site.url, stage.wire.url, "tabs/other")
    await expect
      .poll(async () => {
        const answer = await fetch(`${stage.edge.url}/v1/stream/tabs/left/lines`)
        return answer.ok ? ((await answer.json()) as unknown[]).length : 0
      })
      .toBe(10)
    await context.close()
  })
})
