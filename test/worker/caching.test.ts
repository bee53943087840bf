import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { app } from "../../worker/http/app.ts"
import { append, ask, create, newStream, ORIGIN } from "./edge-client.ts"

function marksOf({ headers }: Response): (string | null)[] {
  return ["cache-control", "stream-up-to-date", "stream-closed"].map((name) => headers.get(name))
}

const IMMUTABLE = ["public, max-age=31536000, immutable", null, null]

test("[EDGE5] what is kept for ever says nothing of the tail, also when it ends there", async () => {
  const path = newStream()
  await create(path, "application/json", { body: "[1,2]" })
  const open = await ask(path)
  expect(marksOf(open)).toEqual(["public, no-cache", "true", null])
  const tail = open.headers.get("stream-next-offset")!
  const range = () => ask(`${path}?offset=-1&end=${tail}`)
  const before = await range()
  expect(marksOf(before)).toEqual(IMMUTABLE)
  expect(await before.json()).toEqual([1, 2])
  await ask(path, { method: "POST", headers: { "stream-closed": "true" } })
  expect(marksOf(await ask(path))).toEqual(["public, no-cache", "true", "true"])
  const after = await range()
  expect(marksOf(after)).toEqual(IMMUTABLE)
  expect(after.headers.get("etag")).toBe(before.headers.get("etag"))
})

test("[EDGE5] a page that was at the tail and is no longer has another tag", async () => {
  const path = newStream()
  await create(path)
  const page = (headers: Record<string, string> = {}) => {
    const request = new Request(`${ORIGIN}/v1/stream/${path}`, { headers })
    return app.fetch(request, { ...env, READ_BYTES_MAX: "1" } as typeof env) // one batch a page
  }
  await append(path, "1")
  const first = await page()
  const tag = { "if-none-match": first.headers.get("etag")! }
  const same = await page(tag)
  expect([same.status, same.headers.get("stream-up-to-date")]).toEqual([304, "true"])
  await append(path, "2")
  const grown = await page(tag)
  expect([grown.status, grown.headers.get("stream-up-to-date")]).toEqual([200, null])
  expect(await grown.json()).toEqual([1])
})
