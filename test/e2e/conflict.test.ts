import type { BrowserContext, Page } from "playwright-core"
import { afterEach, describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { connectionOf, rowsOf, visit } from "../support/visit.ts"

const stage = setStage()

let contexts: BrowserContext[] = []

afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()))
  contexts = []
})

async function visitNew(path: string): Promise<Page> {
  const context = await stage.browser.newContext()
  contexts.push(context)
  return visit(context, stage.site.url, stage.wire.url, path)
}

const numbersOf = async (page: Page) => (await rowsOf(page)).map(({ n }) => n)
const rejectedOf = (page: Page) =>
  page.evaluate(async () =>
    (await app.lines.rejected()).map(({ id, data, error }) => ({
      id,
      n: "n" in data ? data.n : undefined,
      code: error.code,
    })),
  )

describe("an edge that says no", () => {
  test("[CONFLICT4] what was appended offline to a stream that is closed meanwhile is listed, and leaves the rows", async () => {
    const path = "conflict/closed"
    const page = await visitNew(path)
    const other = await contexts[0]!.newPage()
    await other.goto(stage.site.url)
    await other.evaluate(([to, at]) => app.open(to, at), [stage.wire.url, path] as const)
    await page.evaluate(() => app.add("A", 0))
    await expect.poll(() => page.evaluate(() => app.confirmed)).toBe(1)
    stage.wire.cut()
    await page.evaluate(() => app.burst("A", 1, 2))
    await expect.poll(() => numbersOf(other)).toEqual([0, 1, 2])
    const headers = { "stream-closed": "true" }
    expect(
      (await fetch(`${stage.edge.url}/v1/stream/${path}/lines`, { method: "POST", headers })).status,
    ).toBe(204)
    stage.wire.mend()

    await expect.poll(() => connectionOf(page, `${path}/lines`), { timeout: 20_000 }).toBe("stopped")
    await expect.poll(() => page.evaluate(() => app.rejected)).toBe(2)
    for (const tab of [page, other]) {
      await expect.poll(() => numbersOf(tab)).toEqual([0])
      expect(await rejectedOf(tab)).toMatchObject([
        { n: 1, code: "rejected" },
        { n: 2, code: "rejected" },
      ])
    }
    await page.evaluate(async () => {
      const [first] = await app.lines.rejected()
      if (first !== undefined) await app.lines.dismiss([first.id])
    })
    await page.reload()
    await page.evaluate(([to, at]) => app.open(to, at), [stage.wire.url, path] as const)
    expect(await rejectedOf(page)).toMatchObject([{ n: 2 }])
    expect(await numbersOf(page)).toEqual([0])
  })

  test("[CONFLICT5] of two browsers that expect one tail one wins; the other hears where it is and appends anew", async () => {
    const path = "conflict/expected"
    const [a, b] = [await visitNew(path), await visitNew(path)]
    const start = await a.evaluate(async () => {
      const receipt = await app.lines.append("line.added", { author: "A", n: 0, text: "first" })
      return receipt.confirmed
    })
    await expect.poll(() => numbersOf(b)).toEqual([0])
    const compete = (page: Page, n: number) =>
      page.evaluate(
        async ([expected, at]) => {
          const line = { author: "X", n: at, text: "next" }
          const receipt = await app.lines.append("line.added", line, { expected })
          return receipt.confirmed.then(
            () => "won",
            ({ code, tail }) => `${code} ${tail > expected}`,
          )
        },
        [start, n] as const,
      )
    const outcomes = await Promise.all([compete(a, 1), compete(b, 2)])
    expect([...outcomes].sort()).toEqual(["conflict true", "won"])
    const [winner, loser] = outcomes[0] === "won" ? [a, b] : [b, a]
    const lost = loser === a ? 1 : 2
    const won = winner === a ? 1 : 2
    await expect.poll(() => numbersOf(loser)).toEqual([0, won])

    expect(await rejectedOf(loser)).toMatchObject([{ n: lost, code: "conflict" }])
    await loser.evaluate(async () => {
      const [refused] = await app.lines.rejected()
      const receipt = await app.lines.reappend(refused!.id, { data: { author: "X", n: 7, text: "again" } })
      await receipt.confirmed
    })
    expect(await rejectedOf(loser)).toEqual([])
    for (const page of [winner, loser]) await expect.poll(() => numbersOf(page)).toEqual([0, won, 7])
    const gone = loser.evaluate(() =>
      app.lines.reappend(crypto.randomUUID() as never).catch(({ code }) => code),
    )
    expect(await gone).toBe("not-rejected")
  })
})
