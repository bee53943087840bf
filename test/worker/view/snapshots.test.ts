import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, test, vi } from "vitest"
import type { StreamPath } from "../../../shared/ids.ts"
import { LIMITS } from "../../../shared/limits.ts"
import { compileView } from "../../../shared/view/compile.ts"
import type { ViewData } from "../../../shared/view/definition.ts"
import { ViewFold } from "../../../shared/view/fold.ts"
import { RowRestorer } from "../../../shared/view/restore-rows.ts"
import { decodeManifest, isTrueTo, type SnapshotManifest } from "../../../shared/view/snapshot.ts"
import { stateHash } from "../../../shared/view/state-hash.ts"
import { digest } from "../../../worker/view/digest.ts"
import { openDurableSqlite } from "../../../worker/view/do-sqlite.ts"
import { bearer, issuer, request } from "../access/edge.ts"
import { ask, create, newStream } from "../edge-client.ts"
import { withDurableSqlite } from "./database.ts"
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
  statusOf,
  streamOf,
} from "./view-client.ts"

/** The orders, and beside them a source of the same stream that makes them searchable. */
const VIEW: ViewData = {
  ...ORDERS,
  search: {
    tables: ["CREATE VIRTUAL TABLE words USING fts5(sku)"],
    on: { "order.placed": ["INSERT INTO words VALUES (:sku)"] },
  },
}
const ENOUGH = LIMITS.viewSnapshotMessagesMin
const SLOW_MS = 20_000
const SKUS = 20 // so that each is sold less often than the check allows

function manyOrders(count: number): object[] {
  return Array.from({ length: count }, (_, n) => order(`sku-${n % SKUS}`))
}

type Hash = { readonly cursor: Record<string, string>; readonly view: string; readonly tables: object }

async function hashOf(name: string): Promise<Hash> {
  return (await askView(`${name}/hash`)).json<Hash>()
}

async function snapshotOf(name: string): Promise<SnapshotManifest | undefined> {
  const answer = await askView(`${name}/snapshot`)
  expect([200, 404]).toContain(answer.status)
  if (answer.status === 404) return undefined
  const manifest = decodeManifest(await answer.json())
  if (!manifest.ok) throw new Error(manifest.reason)
  return manifest.value
}

/** Waits for a snapshot that is another one than this. */
async function nextSnapshot(name: string, savedAt?: number): Promise<SnapshotManifest> {
  await expect.poll(async () => (await snapshotOf(name))?.savedAt ?? savedAt).not.toBe(savedAt)
  const manifest = await snapshotOf(name)
  if (manifest === undefined) throw new Error("There was a snapshot; it is gone.")
  return manifest
}

/** The texts of all tables, each of which is there. */
async function textsOf(name: string, { tables }: SnapshotManifest): Promise<Map<string, string>> {
  const texts = Object.entries(tables).map(async ([table, { hash }]): Promise<[string, string]> => {
    const answer = await askView(`${name}/rows?hash=${hash}`)
    expect(answer.status).toBe(200)
    return [table, await answer.text()]
  })
  return new Map(await Promise.all(texts))
}

async function keysOf(name: string, generation = 1): Promise<string[]> {
  const { objects } = await env.SEGMENTS.list({ prefix: `views/${foldOf(name, generation).id}/` })
  return objects.map(({ key }) => key)
}

/** The bucket as the object has it. */
function bucketOf(name: string, generation = 1): Promise<R2Bucket> {
  return runInDurableObject(foldOf(name, generation), (fold) => {
    return (Reflect.get(fold, "env") as typeof env).SEGMENTS // as every object has it
  })
}

/** Makes the last snapshot older than the time that is to be between two, and lets the alarm ring. */
async function passInterval(name: string): Promise<void> {
  await runInDurableObject(foldOf(name, 1), (_, { storage }) => {
    storage.sql.exec("UPDATE headwater_snapshots SET saved_at = saved_at - ?", LIMITS.viewSnapshotMsInterval)
  })
  expect(await evict(foldOf(name, 1))).toBe(true)
}

/** The view's hash when these rows are restored elsewhere, and what the streams hold behind them is folded. */
async function restoredHash(manifest: SnapshotManifest, texts: ReadonlyMap<string, string>) {
  const news = await Promise.all(
    Object.entries(manifest.cursor).map(async ([stream, offset]) => {
      const messages = await (await ask(`${stream}?offset=${offset}`)).json<unknown[]>()
      return { stream: stream as StreamPath, messages }
    }),
  )
  return runInDurableObject(env.FOLDS.getByName(crypto.randomUUID()), (_, { storage }) => {
    const database = openDurableSqlite(storage)
    const view = compileView(database, "restored", VIEW)
    const tables = view.sources.flatMap(({ owned }) => owned)
    for (const table of tables) {
      const restorer = new RowRestorer(database, table)
      const text = texts.get(table.name) ?? ""
      for (let at = 0; at < text.length; ) at = restorer.insert(text, at)
    }
    const fold = new ViewFold(database, view, manifest.streams)
    for (const batch of news) fold.fold(batch)
    return stateHash(
      database,
      tables.map(({ name }) => name),
      digest,
    )
  })
}

test("[EVIEW15] a snapshot is true, is what the edge hashes, and whoever goes on from it has the edge's rows", async () => {
  const [name, stream] = [newView(), await streamOf(...manyOrders(ENOUGH))]
  await putView(name, VIEW, { orders: stream, search: stream })
  const manifest = await nextSnapshot(name)
  const { key, cursor } = await statusOf(name)
  expect(manifest).toMatchObject({ key, cursor, streams: { orders: stream, search: stream } })
  expect(manifest).toMatchObject({ halts: [], skipped: [] })
  const { view, tables } = await hashOf(name)
  expect(manifest.hash).toEqual({ view, tables })
  expect(manifest.tables).toMatchObject({ orders: { rows: ENOUGH }, stock: { rows: SKUS } })
  const texts = await textsOf(name, manifest)
  const owned = await withDurableSqlite((database) =>
    compileView(database, name, VIEW).sources.flatMap((source) => source.owned),
  )
  expect(await isTrueTo(manifest, owned, texts, digest)).toBe(true)
  const last = await place(stream, order("sku-3"), order("sku-1", 7), { type: "other" })
  await expect.poll(async () => (await hashOf(name)).cursor[stream]).toBe(last)
  const after = await hashOf(name)
  expect(after.view).not.toBe(view)
  expect(await restoredHash(manifest, texts)).toEqual({ view: after.view, tables: after.tables })
})

test("[EVIEW15] with fewer messages than are worth it there is none, and one more makes it", async () => {
  const [name, stream] = [newView(), await streamOf(...manyOrders(ENOUGH - 1))]
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  await evict(foldOf(name, 1))
  expect(await snapshotOf(name)).toBe(undefined)
  expect(await keysOf(name)).toEqual([])
  const cursor = { [stream]: await place(stream, order("milk")) }
  expect(await nextSnapshot(name)).toMatchObject({ cursor })
})

test("[EVIEW15] the next one is made when enough is new, and by the alarm if the last one is not old enough", async () => {
  const [name, stream] = [newView(), await streamOf(...manyOrders(ENOUGH))]
  await putView(name, ORDERS, { orders: stream })
  const first = await nextSnapshot(name)
  await place(stream, ...manyOrders(ENOUGH - 1))
  await passInterval(name)
  expect(await snapshotOf(name)).toMatchObject({ cursor: first.cursor }) // old enough, and too little is new
  await runInDurableObject(foldOf(name, 1), (_, { storage }) => {
    storage.sql.exec("UPDATE headwater_snapshots SET saved_at = ?", Date.now())
  })
  const last = await place(stream, order("milk"))
  await expect.poll(async () => (await statusOf(name)).cursor[stream]).toBe(last)
  await evict(foldOf(name, 1))
  expect(await snapshotOf(name)).toMatchObject({ cursor: first.cursor }) // enough is new, and it is too young
  await passInterval(name)
  expect(await nextSnapshot(name, first.savedAt)).toMatchObject({ cursor: { [stream]: last } })
})

test("[EVIEW15] an event at which a source stands still is told, and the streams that have not begun are left out", async () => {
  const poison = order("tea", "many")
  const [name, stream, other] = [newView(), await streamOf(poison, ...manyOrders(ENOUGH)), newStream()]
  const view = { ...VIEW, more: { ...ORDERS.orders, tables: ["CREATE TABLE more (id TEXT) STRICT"], on: {} } }
  await putView(name, view, { orders: stream, search: stream, more: other })
  const manifest = await nextSnapshot(name)
  const { halts, cursor } = await statusOf(name)
  expect(manifest.halts).toEqual([
    {
      source: "orders",
      stream,
      offset: halts[0]?.offset,
      eventId: poison.id,
      eventType: "order.placed",
      message: "cannot store TEXT value in INTEGER column orders.quantity",
    },
  ])
  expect(cursor[other]).toBe("-1")
  expect(manifest.cursor).toEqual({ [stream]: cursor[stream] })
  expect(manifest.tables).toMatchObject({ orders: { rows: 0, bytes: 0 }, words: { rows: ENOUGH + 1 } })
  expect(await textsOf(name, manifest)).toContainEqual(["orders", ""])
})

test("[EVIEW15] while a source stands still for another reason none is made, and after a rebuild one is", async () => {
  const [name, stream, bytes] = [newView(), await streamOf(...manyOrders(ENOUGH)), newStream()]
  await create(bytes, "text/plain", { body: "hello" })
  await putView(name, VIEW, { orders: stream, search: bytes })
  await live(name)
  await evict(foldOf(name, 1))
  expect((await statusOf(name)).halts).toMatchObject([{ kind: "no-json" }])
  expect(await snapshotOf(name)).toBe(undefined)
  await ask(bytes, { method: "DELETE" })
  await post(`${name}/rebuild`)
  await live(name, 2)
  expect(await nextSnapshot(name)).toMatchObject({ cursor: { [stream]: expect.any(String) }, halts: [] })
})

test("[EVIEW15] while one is written no append and no query waits, and it is of what was folded before", async () => {
  const [name, stream] = [newView(), await streamOf()]
  await putView(name, ORDERS, { orders: stream })
  await live(name)
  const bucket = await bucketOf(name)
  const store = bucket.put.bind(bucket)
  let isOpen = false
  const put = vi.spyOn(bucket, "put").mockImplementationOnce(async (key, text, options) => {
    await vi.waitUntil(() => isOpen, { timeout: SLOW_MS })
    return store(key, text as Uint8Array, options) // as the edge puts it
  })
  const before = await place(stream, ...manyOrders(ENOUGH))
  await expect.poll(() => put.mock.calls.length).toBe(1)
  const after = await place(stream, order("milk"))
  expect(await rowsOf(name, "SELECT count(*) FROM orders")).toEqual([[ENOUGH]])
  expect((await statusOf(name)).cursor).toEqual({ [stream]: before })
  expect(await snapshotOf(name)).toBe(undefined)
  isOpen = true
  expect(await nextSnapshot(name)).toMatchObject({ cursor: { [stream]: before } })
  await expect.poll(async () => (await statusOf(name)).cursor).toEqual({ [stream]: after })
})

test("[EVIEW16] rows never change, so whoever has them is told that, and others may keep them", async () => {
  const [name, stream] = [newView(), await streamOf(...manyOrders(ENOUGH))]
  await putView(name, ORDERS, { orders: stream })
  expect((await askView(`${name}/snapshot`)).headers.get("cache-control")).toBe("no-store")
  const { tables } = await nextSnapshot(name)
  const [address, etag] = [`${name}/rows?hash=${tables.stock?.hash}`, `"${tables.stock?.hash}"`]
  const whole = await askView(address)
  const marks = ["content-type", "etag", "cache-control"]
  const told = ["text/plain; charset=us-ascii", etag, "public, max-age=31536000, immutable"]
  expect(marks.map((header) => whole.headers.get(header))).toEqual(told)
  expect(whole.headers.get("access-control-expose-headers")).toContain("etag")
  expect((await whole.text()).length).toBe(tables.stock?.bytes)
  const held = await askView(address, { headers: { "if-none-match": `"x", W/${etag}` } })
  expect([held.status, await held.text(), held.headers.get("etag")]).toEqual([304, "", etag])
  const head = await askView(address, { method: "HEAD" })
  expect([head.status, await head.text(), head.headers.get("etag")]).toEqual([200, "", etag])
  for (const query of ["", "?hash=", "?hash=x", `?hash=${"g".repeat(64)}`, `?hash=${"0".repeat(65)}`])
    expect((await askView(`${name}/rows${query}`)).status).toBe(400)
  const others = { headers: { "if-none-match": "*" } }
  for (const init of [{}, others, { method: "HEAD" }])
    expect((await askView(`${name}/rows?hash=${"0".repeat(64)}`, init)).status).toBe(404)
  expect((await askView(`${name}/rows?hash=${tables.stock?.hash}`, { method: "POST" })).status).toBe(405)
})

test("[EVIEW16] reading takes read on the view's name, is kept by nobody between, and needs a bucket", async () => {
  const [name, stream] = [newView(), await streamOf(...manyOrders(ENOUGH))]
  await putView(name, ORDERS, { orders: stream })
  const { tables } = await nextSnapshot(name)
  const addresses = [`${name}/snapshot`, `${name}/rows?hash=${tables.stock?.hash}`]
  const asked = async (grants: Record<string, string[]>, address: string, vars = issuer.vars) => {
    const init = { headers: bearer(await issuer.token("ada", grants)) }
    return request(`/v1/view/${address}`, init, vars)
  }
  const reader = { [name]: ["read"] }
  const stranger = { [stream]: ["read"], [name]: ["append", "manage"] }
  const withoutBucket = { ...issuer.vars, SEGMENTS: undefined as unknown as string }
  for (const address of addresses) {
    expect((await asked(reader, address)).status).toBe(200)
    expect((await asked(stranger, address)).status).toBe(404)
    expect((await request(`/v1/view/${address}`)).status).toBe(401)
    expect((await asked(reader, address, withoutBucket)).status).toBe(501)
    expect((await asked(stranger, address, withoutBucket)).status).toBe(404)
  }
  const { headers } = await asked(reader, addresses[1] ?? "")
  expect(headers.get("cache-control")).toBe("private, max-age=31536000, immutable")
  expect(headers.get("vary")).toContain("Authorization")
})

test("[EVIEW16] a view that is not there has neither, and their addresses are no names of views", async () => {
  const name = newView()
  for (const address of [`${name}/snapshot`, `${name}/rows?hash=${"0".repeat(64)}`])
    expect((await askView(address)).status).toBe(404)
  expect((await putView(`${name}/rows`, ORDERS, { orders: "x" })).status).toBe(405)
})

test("[EVIEW17] the newest two are kept, and rows that only older ones name are gone", async () => {
  const [name, stream] = [newView(), await streamOf(...manyOrders(ENOUGH))]
  await putView(name, ORDERS, { orders: stream })
  const made = [await nextSnapshot(name)]
  for (let n = 0; n < 2; n++) {
    const last = await place(stream, ...manyOrders(ENOUGH))
    await expect.poll(async () => (await statusOf(name)).cursor[stream]).toBe(last)
    await passInterval(name)
    made.push(await nextSnapshot(name, made.at(-1)?.savedAt))
  }
  const [oldest, ...kept] = made
  for (const manifest of kept) expect((await textsOf(name, manifest)).size).toBe(2)
  for (const { hash } of Object.values(oldest?.tables ?? {}))
    expect((await askView(`${name}/rows?hash=${hash}`)).status).toBe(404)
  await expect.poll(async () => (await keysOf(name)).length).toBe(4)
})

test("[EVIEW17] what is written down goes with its generation, and a bucket that fails only puts that off", async () => {
  const [name, stream] = [newView(), await streamOf(...manyOrders(ENOUGH))]
  await putView(name, ORDERS, { orders: stream })
  const { tables } = await nextSnapshot(name)
  expect(await rowsOf(name, "SELECT count(*) FROM stock")).toEqual([[SKUS]])
  expect(await keysOf(name)).toHaveLength(2)
  await post(`${name}/rebuild`)
  await live(name, 2)
  const again = await nextSnapshot(name)
  expect(again.tables).toEqual(tables) // the same rows, under keys of their own
  await expect.poll(() => keysOf(name)).toEqual([])
  expect(await keysOf(name, 2)).toHaveLength(2)
  expect((await textsOf(name, again)).size).toBe(2)
  const failure = new Error("The bucket does not answer.")
  const failing = vi.spyOn(await bucketOf(name, 2), "list").mockRejectedValueOnce(failure)
  expect((await askView(name, { method: "DELETE" })).status).toBe(204)
  expect((await askView(`${name}/snapshot`)).status).toBe(404)
  expect((await askView(`${name}/rows?hash=${tables.stock?.hash}`)).status).toBe(404)
  await expect.poll(() => failing.mock.calls.length).toBeGreaterThan(0)
  await runDurableObjectAlarm(env.VIEWS.getByName(name))
  await expect.poll(() => keysOf(name, 2)).toEqual([])
})
