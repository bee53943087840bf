import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { append } from "../edge-client.ts"
import {
  evict,
  foldOf,
  interrupt,
  live,
  newView,
  ORDERS,
  order,
  post,
  putView,
  rowsOf,
  statusOf,
  streamOf,
} from "./view-client.ts"

/** Another view of the same table, so that one query can be asked of both. */
const DOUBLED = {
  orders: {
    tables: ["CREATE TABLE stock (sku TEXT PRIMARY KEY, sold INTEGER NOT NULL) STRICT"],
    on: {
      "order.placed": [
        "INSERT INTO stock VALUES (:sku, 2 * :quantity) ON CONFLICT DO UPDATE SET sold = sold + excluded.sold",
      ],
    },
  },
}
const SOLD = "SELECT sold FROM stock"
const [BATCHES, EVENTS] = [30, 400]

/** A stream that is folded in many transactions. */
async function longStream(): Promise<string> {
  const path = await streamOf()
  const padding = "x".repeat(100)
  for (let n = 0; n < BATCHES; n++) {
    const events = Array.from({ length: EVENTS }, () => ({ ...order("tea"), padding }))
    for (const event of events) event.data.quantity = 0
    await append(path, JSON.stringify(events))
  }
  await append(path, JSON.stringify([order("tea", 1)]))
  return path
}

const ORDERS_OF_ANY_NUMBER = {
  orders: {
    ...ORDERS.orders,
    tables: ORDERS.orders!.tables.map((sql) => sql.replace(" CHECK (sold < 1000)", "")),
  },
}

/** What queries answer until the generation answers, `between` being called before each. */
async function answersUntil(
  name: string,
  generation: number,
  between: () => Promise<unknown>,
): Promise<unknown[]> {
  const seen = new Set<string>()
  const isThere = async () => {
    await between()
    const status = await statusOf(name)
    const answer = await post(`${name}/query`, { sql: SOLD })
    const rows = answer.status === 200 ? (await answer.json<{ rows: unknown }>()).rows : answer.status
    seen.add(JSON.stringify(rows))
    return status.state === "live" && status.generation === generation
  }
  await expect.poll(isThere, { interval: 1 }).toBe(true)
  return [...seen].sort()
}

test("[EVIEW6] the old rows answer until the new ones are whole, which then do", async () => {
  const [name, stream] = [newView(), await longStream()]
  await putView(name, ORDERS_OF_ANY_NUMBER, { orders: stream })
  expect(await answersUntil(name, 1, async () => undefined)).toEqual(["503", "[[1]]"])
  await putView(name, DOUBLED, { orders: stream })
  expect(await statusOf(name)).toMatchObject({ state: "live", generation: 1, rebuild: { generation: 2 } })
  expect(await answersUntil(name, 2, async () => undefined)).toEqual(["[[1]]", "[[2]]"])
  expect(await statusOf(name)).not.toHaveProperty("rebuild")
  await expect.poll(async () => (await foldOf(name, 1).report()).kind).toBe("no-fold")
})

test("[EVIEW6] a rebuild whose objects are thrown out of memory again and again comes to its end", async () => {
  const [name, stream] = [newView(), await longStream()]
  await putView(name, ORDERS_OF_ANY_NUMBER, { orders: stream })
  await live(name)
  await putView(name, DOUBLED, { orders: stream })
  let [looks, evictions] = [0, 0]
  const seen = await answersUntil(name, 2, async () => {
    const end = ++looks % 10 === 0 ? evict : interrupt // seldom enough that most runs do not come to their end
    for (const stub of [foldOf(name, 2), env.VIEWS.getByName(name), foldOf(name, 1)]) {
      if (await end(stub)) evictions++
    }
  })
  expect(evictions).toBeGreaterThan(3)
  expect(seen.filter((one) => one !== "[[1]]" && one !== "[[2]]")).toEqual([])
  expect(await rowsOf(name, SOLD)).toEqual([[2]])
})

test("[EVIEW6] a definition that comes while another one is built takes its place", async () => {
  const [name, stream] = [newView(), await longStream()]
  await putView(name, ORDERS_OF_ANY_NUMBER, { orders: stream })
  const outcomes = await Promise.all([putView(name, DOUBLED, { orders: stream }), post(`${name}/rebuild`)])
  expect(outcomes.map(({ status }) => status)).toEqual([200, 200])
  await live(name, 3)
  await expect.poll(async () => (await foldOf(name, 1).report()).kind).toBe("no-fold")
  await expect.poll(async () => (await foldOf(name, 2).report()).kind).toBe("no-fold")
})
