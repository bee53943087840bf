import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { expect } from "vitest"
import type { ViewData } from "../../../shared/view/definition.ts"
import { foldName } from "../../../worker/view/view-claim.ts"
import { append, create, newStream, ORIGIN } from "../edge-client.ts"

/** Each row of the orders' table. */
export const STOCK = "SELECT sku, sold FROM stock ORDER BY sku"

/** Orders by id, and how many there are of each sku. */
export const ORDERS: ViewData = {
  orders: {
    tables: [
      "CREATE TABLE orders (id TEXT PRIMARY KEY, sku TEXT, quantity INTEGER, stream TEXT) STRICT",
      "CREATE TABLE stock (sku TEXT PRIMARY KEY, sold INTEGER NOT NULL CHECK (sold < 1000)) STRICT",
    ],
    on: {
      "order.placed": [
        "INSERT INTO orders VALUES (:id, :sku, :quantity, :event_stream)",
        `INSERT INTO stock VALUES (:sku, :quantity)
         ON CONFLICT (sku) DO UPDATE SET sold = sold + excluded.sold`,
      ],
      "order.cancelled": ["DELETE FROM orders WHERE id = :id"],
    },
  },
}

/** The same without what streams share, so that rows do not depend on how they interleave. */
export const ORDERS_BY_STREAM: ViewData = {
  orders: {
    tables: [
      "CREATE TABLE orders (stream TEXT, id TEXT, sku TEXT, quantity INTEGER, PRIMARY KEY (stream, id)) STRICT",
    ],
    on: {
      "order.placed": ["INSERT INTO orders VALUES (:event_stream, :id, :sku, :quantity)"],
      "order.cancelled": ["DELETE FROM orders WHERE stream = :event_stream AND id = :id"],
    },
  },
}

/** The name of a view that no other test has. */
export function newView(): string {
  return newStream().replace("test/", "views/")
}

export function askView(path: string, init: RequestInit = {}): Promise<Response> {
  return exports.default.fetch(new Request(`${ORIGIN}/v1/view/${path}`, init))
}

export function putView(name: string, view: unknown, streams: unknown): Promise<Response> {
  return askView(name, { method: "PUT", body: JSON.stringify({ view, streams }) })
}

export function post(path: string, body: unknown = {}): Promise<Response> {
  return askView(path, { method: "POST", body: JSON.stringify(body) })
}

type Rows = {
  readonly columns: string[]
  readonly rows: unknown[][]
  readonly cursor: Record<string, string>
}

export async function rowsOf(name: string, sql: string, more: object = {}): Promise<unknown[][]> {
  const response = await post(`${name}/query`, { sql, ...more })
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json<Rows>()).rows
}

export async function statusOf(name: string) {
  const response = await askView(name)
  expect(response.status).toBe(200)
  return response.json<{
    state: string
    generation: number
    key: string
    cursor: Record<string, string>
    halts: { kind: string; source: string; stream: string; at: string; [more: string]: unknown }[]
    skipped: unknown[]
    rows: Record<string, number>
    progress: { feeds: number; caughtUp: number; isListed: boolean }
    rebuild?: { generation: number }
    leftOut?: number
  }>()
}

export function foldOf(name: string, generation: number) {
  return env.FOLDS.getByName(foldName(name, generation))
}

/** Waits until the view answers from this generation, or from whichever it is. */
export async function live(name: string, generation?: number): Promise<void> {
  await expect
    .poll(async () => {
      const { state, generation: is } = await statusOf(name)
      return state === "live" && (generation ?? is) === is
    })
    .toBe(true)
}

type Stub = Parameters<typeof evictDurableObject>[0]

/** Throws an object out of memory, if it is in it. */
export async function interrupt(stub: Stub): Promise<boolean> {
  try {
    await evictDurableObject(stub)
    return true
  } catch (error) {
    expect(String(error)).toContain("not currently running")
    return false
  }
}

/** The same, and rings its alarm, as the platform does with one that was interrupted. */
export async function evict(stub: Stub): Promise<boolean> {
  const isEvicted = await interrupt(stub)
  if (isEvicted) await runDurableObjectAlarm(stub)
  return isEvicted
}

export async function streamOf(...events: object[]): Promise<string> {
  const path = newStream()
  expect((await create(path)).status).toBe(201)
  if (events.length > 0) await place(path, ...events)
  return path
}

/** Appends, and answers the place behind it. */
export async function place(path: string, ...events: object[]): Promise<string> {
  const response = await append(path, JSON.stringify(events))
  expect(response.status).toBe(204)
  return response.headers.get("stream-next-offset") ?? ""
}

let orders = 0

export function order(sku: string, quantity: unknown = 1, id = `order-${++orders}`) {
  return { id: crypto.randomUUID(), type: "order.placed", source: "till", data: { id, sku, quantity } }
}
