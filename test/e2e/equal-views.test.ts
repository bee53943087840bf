import { expect, test } from "vitest"
import type { ViewHash } from "../../client/index.ts"
import { openNodeView } from "../../client/node/index.ts"
import type { HeadwaterEvent } from "../../shared/events.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { viewData } from "../../shared/index.ts"
import { setStage } from "../support/stage.ts"
import { pendingOf, rowsOf, visit } from "../support/visit.ts"
import { board } from "./app/board.ts"

const stage = setStage()
const JSON_TYPE = { "content-type": "application/json" }

async function ask<T>(url: string, init: RequestInit = {}): Promise<T> {
  const answer = await fetch(url, { ...init, headers: JSON_TYPE })
  expect(answer.status, await answer.clone().text()).toBeLessThan(300)
  return (await answer.json()) as T
}

test("[VIEW44] [EVIEW14] a browser, the edge and Node have one hash at the same places, and a browser can tell", async () => {
  const path = "equal"
  const [lines, authors] = [`${path}/lines`, `${path}/authors`] as const
  const context = await stage.browser.newContext()
  const page = await visit(context, stage.site.url, stage.wire.url, path)
  const other = await visit(await stage.browser.newContext(), stage.site.url, stage.wire.url, path)
  const at = `${stage.edge.url}/v1/view/equal-board`
  await ask(at, {
    method: "PUT",
    body: JSON.stringify({ view: viewData(board), streams: { lines, authors } }),
  })

  await Promise.all([
    page.evaluate(() => app.burst("one", 0, 300)),
    other.evaluate(() => app.burst("two", 0, 200)),
  ])
  await page.evaluate(() => app.name("one", "It's \u0000 one \ud83c"))
  const countAt = async (stream: string) =>
    (await ask<unknown[]>(`${stage.edge.url}/v1/stream/${stream}`)).length
  await expect.poll(() => countAt(lines)).toBe(500)
  await expect.poll(() => countAt(authors)).toBe(1)
  for (const tab of [page, other]) {
    await expect.poll(async () => (await rowsOf(tab)).length).toBe(500)
    await expect.poll(() => tab.evaluate(() => app.joined)).toHaveLength(1)
    await expect.poll(() => pendingOf(tab)).toBe(0)
  }
  const own = await page.evaluate(() => app.view.hash())
  const question = { sql: "SELECT count(*) AS n FROM lines", min_offset: own.cursor }
  expect(await ask(`${at}/query`, { method: "POST", body: JSON.stringify(question) })).toMatchObject({
    rows: [[500]],
  })
  const edge = await ask<ViewHash>(`${at}/hash`)
  expect(edge).toMatchObject({ view: own.view, tables: own.tables, cursor: own.cursor })
  await expect(other.evaluate((hash) => app.view.verify(hash), edge)).resolves.toMatchObject({
    isEqual: true,
  })

  const node = openNodeView(board, { lines, authors })
  for (const stream of [lines, authors]) {
    const events = await ask<HeadwaterEvent[]>(`${stage.edge.url}/v1/stream/${stream}`)
    node.fold(stream as StreamPath, events)
  }
  expect(await node.hash()).toMatchObject({ view: own.view, tables: own.tables })
  node.close()

  const wrong = { ...edge, tables: { ...edge.tables, lines: "0" }, view: "0" }
  await expect(other.evaluate((hash) => app.view.verify(hash), wrong)).resolves.toMatchObject({
    isEqual: false,
    tables: ["lines"],
    upTo: own.cursor,
  })
})
