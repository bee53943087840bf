import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { DIRECTORY_NAME } from "../../../worker/directory/name.ts"
import { ask, create, newStream, objectOf } from "../edge-client.ts"
import {
  evict,
  foldOf,
  live,
  newView,
  ORDERS_BY_STREAM,
  order,
  place,
  putView,
  rowsOf,
  statusOf,
} from "./view-client.ts"

const directory = () => env.DIRECTORY.getByName(DIRECTORY_NAME)
const isListed = async (path: string) => (await directory().list(path)).paths.includes(path)
const ROWS = "SELECT stream, sku FROM orders ORDER BY stream, sku"

async function streamAt(path: string, ...events: object[]): Promise<string> {
  await create(path)
  if (events.length > 0) await place(path, ...events)
  return path
}

test("[EVIEW9] a view of a pattern folds the streams that are there, and those that come", async () => {
  const [name, folder] = [newView(), newStream()]
  const one = await streamAt(`${folder}/a`, order("tea"))
  await streamAt(`${folder}/a/below`, order("no"))
  await expect.poll(() => isListed(one)).toBe(true)
  await putView(name, ORDERS_BY_STREAM, { orders: `${folder}/*` })
  await live(name)
  expect(await rowsOf(name, ROWS)).toEqual([[one, "tea"]])
  const other = await streamAt(`${folder}/b`, order("milk"))
  await expect
    .poll(() => rowsOf(name, ROWS))
    .toEqual([
      [one, "tea"],
      [other, "milk"],
    ])
  await evict(foldOf(name, 1))
  await evict(directory())
  await place(one, order("coffee"))
  const third = await streamAt(`${folder}/c`, order("cocoa"))
  await expect
    .poll(() => rowsOf(name, ROWS))
    .toEqual([
      [one, "coffee"],
      [one, "tea"],
      [other, "milk"],
      [third, "cocoa"],
    ])
  expect((await statusOf(name)).progress).toEqual({ feeds: 3, caughtUp: 3, isListed: true })
})

test("[EVIEW9] a stream that is older than the directory is listed when it is next asked for anything", async () => {
  const path = await streamAt(newStream(), order("tea"))
  await expect.poll(() => isListed(path)).toBe(true)
  await runInDurableObject(objectOf(path), (_, { storage }) => storage.sql.exec("DROP TABLE listing"))
  await runInDurableObject(directory(), (_, { storage }) => {
    storage.sql.exec("DELETE FROM streams WHERE path = ?", path)
  })
  await evict(objectOf(path))
  expect(await isListed(path)).toBe(false)
  await ask(path, { method: "HEAD" })
  await expect.poll(() => isListed(path)).toBe(true)
})

test("[EVIEW9] a stream is told of until the directory has heard it, and of its end", async () => {
  const path = newStream()
  await create(path)
  await evict(objectOf(path)) // before its alarm has rung, or behind it
  await expect.poll(() => isListed(path)).toBe(true)
  await ask(path, { method: "DELETE" })
  await evict(objectOf(path))
  await expect.poll(() => isListed(path)).toBe(false)
})
