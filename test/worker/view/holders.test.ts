import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { DIRECTORY_NAME } from "../../../worker/directory/name.ts"
import { append, ask, create, newStream, objectOf, producer } from "../edge-client.ts"
import { rowsWritten } from "../row-count.ts"
import {
  askView,
  evict,
  foldOf,
  live,
  newView,
  ORDERS,
  order,
  place,
  post,
  putView,
  rowsOf,
  STOCK,
  statusOf,
  streamOf,
} from "./view-client.ts"

test("[EVIEW3] what was sealed into segments is folded like everything else", async () => {
  const [name, stream] = [newView(), await streamOf()]
  const padding = "x".repeat(4_000)
  for (let n = 0; n < 45; n++) {
    const events = Array.from({ length: 50 }, () => ({ ...order(n % 2 === 0 ? "tea" : "milk", 0), padding }))
    expect((await append(stream, JSON.stringify(events))).status).toBe(204)
  }
  const segments = async () =>
    (await (await ask(`${stream}?segments=true`)).json<{ segments: unknown[] }>()).segments
  await expect.poll(async () => (await segments()).length).toBeGreaterThan(0)
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  expect(await rowsOf(name, "SELECT sku, count(*) FROM orders GROUP BY sku ORDER BY sku")).toEqual([
    ["milk", 1_100],
    ["tea", 1_150],
  ])
})

test("[EVIEW3] a fork is folded with what it inherits, and halts in it have places of its log", async () => {
  const poison = order("tea", "many")
  const [name, source, leaf] = [newView(), await streamOf(order("tea"), poison, order("milk")), newStream()]
  const tail = (await ask(source, { method: "HEAD" })).headers.get("stream-next-offset")!
  const headers = { "stream-forked-from": `/v1/stream/${source}`, "stream-fork-offset": tail }
  expect((await ask(leaf, { method: "PUT", headers })).status).toBe(201)
  await place(source, order("no"))
  await place(leaf, order("coffee"))
  await putView(name, ORDERS, { orders: leaf })
  await live(name)
  const [halt] = (await statusOf(name)).halts
  const lies = await (await ask(`${leaf}?offset=${halt?.at}&end=${halt?.offset}`)).json()
  expect(lies).toEqual([poison])
  await post(`${name}/skip`, { source: "orders", stream: leaf, event: poison.id })
  await expect
    .poll(() => rowsOf(name, STOCK))
    .toEqual([
      ["coffee", 1],
      ["milk", 1],
      ["tea", 1],
    ])
})

test("[EVIEW4] an append costs a watched stream no row more, and does not wait for who cannot fold it", async () => {
  const [name, stream] = [newView(), newStream()]
  await create(stream)
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  const events = JSON.stringify([order("tea", "poison")])
  expect(await rowsWritten(stream, () => append(stream, events, producer("p", 0, 0)))).toBe(2)
  await expect.poll(async () => (await statusOf(name)).halts.length).toBe(1)
  expect(await rowsWritten(stream, () => append(stream, events, producer("p", 0, 1)))).toBe(2)
})

test("[EVIEW5] an eviction of everything before every step changes nothing of what a view says", async () => {
  async function converse(between: (name: string, stream: string) => Promise<void>): Promise<unknown[]> {
    const poison = order("tea", "many")
    const [name, stream] = [newView(), await streamOf(order("tea"))]
    const said: unknown[] = []
    const step = async <T>(work: () => Promise<T>): Promise<T> => {
      await between(name, stream)
      return work()
    }
    const say = async (work: () => Promise<Response>) => {
      const answer = await step(work)
      said.push([answer.status, answer.status === 204 ? "" : await answer.json()])
    }
    await say(() => putView(name, ORDERS, { orders: stream }))
    await step(() => live(name))
    await say(() => post(`${name}/query`, { sql: STOCK }))
    await step(() => place(stream, order("milk"), poison, order("tea")))
    await step(() => expect.poll(async () => (await statusOf(name)).halts.length).toBe(1))
    said.push((await statusOf(name)).halts.map(({ kind, message }) => [kind, message]))
    await say(() => post(`${name}/skip`, { source: "orders", stream, event: poison.id }))
    await step(() => expect.poll(() => rowsOf(name, "SELECT sum(sold) FROM stock")).toEqual([[3]]))
    await say(() => post(`${name}/rebuild`))
    await step(() => live(name, 2))
    await step(async () => said.push(await rowsOf(name, STOCK), (await statusOf(name)).rows))
    await say(() => putView(name, ORDERS, { orders: stream }))
    await say(() => askView(name, { method: "DELETE" }))
    await step(() => expect.poll(async () => (await foldOf(name, 2).report()).kind).toBe("no-fold"))
    return JSON.parse(
      JSON.stringify(said).replaceAll(/"[0-9a-z]{9}_[0-9]{16}_[0-9a-f]{16}"|"test\/[-0-9a-f]+"/g, `"#"`),
    )
  }
  const undisturbed = await converse(async () => undefined)
  let evictions = 0
  const disturbed = await converse(async (name, stream) => {
    const stubs = [foldOf(name, 1), foldOf(name, 2), env.VIEWS.getByName(name), objectOf(stream)]
    for (const stub of [...stubs, env.DIRECTORY.getByName(DIRECTORY_NAME)]) if (await evict(stub)) evictions++
  })
  expect(disturbed).toEqual(undisturbed)
  expect(evictions).toBeGreaterThan(20)
})
