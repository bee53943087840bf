import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { viewData } from "../../../shared/index.ts"
import { itemView, someItems } from "../app/items.ts"
import { alternate, type Figure, figureOf } from "../figure.ts"
import type { Stage } from "../stage.ts"

/** Before somebody looks once more whether the edge has folded everything. */
const LOOK_MS = 200

const OUR_STEPS = ["connect", "view", "query"] as const
const RAW_STEPS = ["sqlite", "fetch", "parse", "insert", "ask"] as const

/**
 * The first visit of a device, to a view that the edge has written down: connect, open the view with its rows, one
 * query; raw: start SQLite, download the same rows as one JSON array, insert them by one prepared statement, one query.
 */
export async function measureFirstStart(stage: Stage): Promise<Figure[]> {
  const count = stage.quick ? 10_000 : 100_000
  const path = await stage.filled(count)
  const edgeView = `bench/first-start-${count}`
  await writtenDown(`${stage.edge}/v1/view/${edgeView}`, path, count)
  const rows = await serveRows(count)
  const sides = await alternate(stage.rounds, {
    raw: () => stage.withPage((page) => page.evaluate((url) => bench.raw.firstStart(url), rows.url)),
    ours() {
      const place = { edge: stage.edge, path, account: "ours" }
      return stage.withPage((page) =>
        page.evaluate(([at, name]) => bench.ours.firstStart(at, name), [place, edgeView] as const),
      )
    },
  })
  rows.close()
  const title = `first start from a snapshot of ${count.toLocaleString("en")} rows`
  const step = (name: string, side: string) =>
    figureOf(sides, name, { what: `${title}: ${side} ${name}`, unit: "ms" })
  return [
    figureOf(sides, "total", { what: title, unit: "ms", target: { timesRaw: 2 } }),
    ...OUR_STEPS.map((name) => step(name, "our")),
    ...RAW_STEPS.map((name) => step(name, "raw")),
  ]
}

async function writtenDown(url: string, path: string, count: number): Promise<void> {
  const body = JSON.stringify({ view: viewData(itemView), streams: { items: path } })
  await fetch(url, { method: "PUT", body })
  for (let rows = 0; rows < count; ) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    const answer = await fetch(`${url}/snapshot`)
    if (answer.ok) rows = ((await answer.json()) as { tables: { items: { rows: number } } }).tables.items.rows
  }
}

async function serveRows(count: number): Promise<{ url: string; close(): void }> {
  const body = JSON.stringify(someItems(count).map(({ n, at, text }) => [n, at, text]))
  const headers = { "content-type": "application/json", "access-control-allow-origin": "*" }
  const server = createServer((_, response) => response.writeHead(200, headers).end(body))
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo // of a server that listens on a port
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() }
}
