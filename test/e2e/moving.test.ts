import type { Page } from "playwright-core"
import { describe, expect, test } from "vitest"
import { setStage } from "../support/stage.ts"
import { rowsOf, visit } from "../support/visit.ts"

const stage = setStage()

/** Follows the log in a page, and keeps what it sees as `n` of each line. */
const follow = (page: Page, options: { live?: boolean; cursor?: string }) =>
  page.evaluate((of) => {
    const seen: number[] = []
    Object.assign(globalThis, { seen })
    void (async () => {
      for await (const { message } of app.lines.read(of))
        seen.push((message as { data: { n: number } }).data.n)
    })()
  }, options)

const seenBy = (page: Page) => page.evaluate(() => (globalThis as unknown as { seen: number[] }).seen)
const burst = (page: Page, from: number, count: number) =>
  page.evaluate(([at, many]) => app.burst("A", at, many), [from, count] as const)
const confirmedOf = (page: Page) => page.evaluate(() => app.confirmed)
const numbers = (to: number) => Array.from({ length: to }, (_, n) => n)

describe("reading a log that an edge orders", () => {
  test("[READ4] both tabs see every event once, in order, whoever leads", async () => {
    const context = await stage.browser.newContext()
    const one = await visit(context, stage.site.url, stage.wire.url, "moving/live")
    const two = await visit(context, stage.site.url, stage.wire.url, "moving/live")
    await burst(one, 0, 300)
    await expect.poll(() => confirmedOf(one)).toBe(300)
    await Promise.all([follow(one, { live: true }), follow(two, { live: true })])
    await burst(one, 300, 300)
    await expect.poll(() => seenBy(two)).toEqual(numbers(600))
    await expect.poll(() => seenBy(one)).toEqual(numbers(600))
    await one.close()
    await burst(two, 600, 300)
    await expect.poll(() => seenBy(two)).toEqual(numbers(900))
    await context.close()
  })

  test("[READ2] each message has the place that the edge knows", async () => {
    const context = await stage.browser.newContext()
    const page = await visit(context, stage.site.url, stage.wire.url, "moving/places")
    await burst(page, 0, 20)
    await expect.poll(() => confirmedOf(page)).toBe(20)
    const read = await page.evaluate(async () => {
      const all: { id: string | undefined; offset: string }[] = []
      for await (const { event, offset } of app.lines.read()) all.push({ id: event?.id, offset })
      return all
    })
    expect(read).toHaveLength(20)
    for (const [at, { offset }] of read.entries()) {
      const answer = await fetch(`${stage.edge.url}/v1/stream/moving/places/lines?offset=${offset}`)
      const behind = (await answer.json()) as { id: string }[]
      expect(behind.map(({ id }) => id)).toEqual(read.slice(at + 1).map(({ id }) => id))
    }
    await context.close()
  })

  test("[READ6] a consumer with a cursor goes on after a restart where it had got to", async () => {
    const context = await stage.browser.newContext()
    const first = await visit(context, stage.site.url, stage.wire.url, "moving/cursor")
    await burst(first, 0, 100)
    await expect.poll(() => confirmedOf(first)).toBe(100)
    await first.evaluate(async () => {
      const consumer = app.lines.read({ cursor: "mailer" })
      for (let n = 0; n < 51; n++) await consumer.next()
      await consumer.return?.()
    })
    await first.close()
    const second = await visit(context, stage.site.url, stage.wire.url, "moving/cursor")
    await follow(second, { cursor: "mailer" })
    await expect.poll(() => seenBy(second)).toEqual(numbers(100).slice(50))
    await context.close()
  })

  test("[READ7] when the tab of a live consumer is closed, one that waits in another goes on", async () => {
    const context = await stage.browser.newContext()
    const one = await visit(context, stage.site.url, stage.wire.url, "moving/handover")
    const two = await visit(context, stage.site.url, stage.wire.url, "moving/handover")
    await follow(one, { live: true, cursor: "mailer" })
    await burst(one, 0, 100)
    await expect.poll(() => seenBy(one)).toEqual(numbers(100))
    await follow(two, { live: true, cursor: "mailer" })
    await burst(two, 100, 100)
    await expect.poll(() => seenBy(one)).toEqual(numbers(200))
    expect(await seenBy(two)).toEqual([])
    await one.close()
    await burst(two, 200, 100)
    await expect.poll(async () => (await seenBy(two)).at(-1)).toBe(299)
    const seen = await seenBy(two)
    expect(seen).toEqual(numbers(300).slice(seen[0]))
    await context.close()
  })

  test("[MOVE4] a log that is exported and imported elsewhere is the same log, byte for byte, each event once", async () => {
    const context = await stage.browser.newContext()
    const source = await visit(context, stage.site.url, stage.wire.url, "moving/source")
    await burst(source, 0, 2_500)
    await expect.poll(() => confirmedOf(source)).toBe(2_500)
    const exported = await source.evaluate(async () => {
      let text = ""
      for await (const line of app.lines.export({ what: "log" })) text += line
      return text
    })
    expect(exported.split("\n")).toHaveLength(2_501)
    const target = await visit(
      await stage.browser.newContext(),
      stage.site.url,
      stage.wire.url,
      "moving/target",
    )
    const importing = (text: string) => target.evaluate((of) => app.lines.import(of), text)
    expect(await importing(exported)).toEqual({ appended: 2_500, skipped: 0 })
    expect(await importing(exported)).toEqual({ appended: 0, skipped: 2_500 })
    const imported = `[${exported.trimEnd().replaceAll("\n", ",")}]`
    const log = async () => (await fetch(`${stage.edge.url}/v1/stream/moving/target/lines`)).text()
    await expect.poll(async () => (await log()) === imported).toBe(true)
    await expect.poll(async () => (await rowsOf(target)).length).toBe(2_500)
    expect(await rowsOf(target)).toEqual(await rowsOf(source))
    await Promise.all([context.close(), target.context().close()])
  })
})
