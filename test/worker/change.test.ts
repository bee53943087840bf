import { runInDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { append, ask, create, newStream, objectOf } from "./edge-client.ts"

const patch = (path: string, headers: Record<string, string>) => ask(path, { method: "PATCH", headers })

test("[PATCH1] retention of a stream can be changed and removed", async () => {
  const path = newStream()
  await create(path, "application/json", { headers: { "stream-retention-age": "60" } })
  const head = async () => {
    const { headers } = await ask(path, { method: "HEAD" })
    return [headers.get("stream-retention-age"), headers.get("stream-retention-bytes")]
  }
  expect((await patch(path, { "stream-retention-bytes": "1000" })).status).toBe(204)
  expect(await head()).toEqual(["60", "1000"])
  expect((await patch(path, { "stream-retention-age": "none", "stream-retention-bytes": "5" })).status).toBe(
    204,
  )
  expect(await head()).toEqual([null, "5"])
})

test("[PATCH2] what a change makes due is done by the alarm", async () => {
  const path = newStream()
  await create(path)
  for (let n = 0; n < 3; n++) await append(path, `[${n}]`)
  await patch(path, { "stream-retention-bytes": "1" })
  await expect.poll(async () => (await ask(path)).status).toBe(410)
  const alarm = await runInDurableObject(objectOf(path), (_, { storage }) => storage.getAlarm())
  expect(alarm).toBe(null)
})

test("[PATCH1] a stream that is not there cannot be changed", async () => {
  expect((await patch(newStream(), { "stream-budget": "1" })).status).toBe(404)
})

test.each([
  [{}],
  [{ "stream-ttl": "60" }],
  [{ "stream-budget": "1", "stream-closed": "true" }],
  [{ "stream-budget": "free" }],
  [{ "stream-budget": "0" }],
  [{ "stream-budget": "None" }],
  [{ "stream-retention-age": "0" }],
  [{ "stream-retention-age": "-1" }],
  [{ "stream-retention-bytes": "1.5" }],
  [{ "stream-retention-bytes": "none", "stream-retention-age": "soon" }],
])("[PATCH1] %j changes nothing", async (headers: Record<string, string>) => {
  const path = newStream()
  await create(path, "application/json", { headers: { "stream-retention-bytes": "7" } })
  const response = await patch(path, headers)
  expect(response.status).toBe(400)
  expect(((await response.json()) as { message: string }).message).toMatch(/^[A-Z].* came\.$/)
  expect((await ask(path, { method: "HEAD" })).headers.get("stream-retention-bytes")).toBe("7")
})

test("[PATCH1] a page of another origin may ask for a change", async () => {
  const { headers } = await ask(newStream(), { method: "OPTIONS" })
  expect(headers.get("access-control-allow-methods")).toContain("PATCH")
  expect(headers.get("access-control-allow-headers")).toContain("stream-budget")
})

test("[BUDGET1] a stream is made again with the same budget, or without a word of it, and not with another", async () => {
  const path = newStream()
  const put = async (budget?: string) =>
    (
      await create(path, "application/json", {
        headers: budget === undefined ? {} : { "stream-budget": budget },
      })
    ).status
  expect([await put("0.5"), await put("0.50"), await put(), await put("0.6")]).toEqual([201, 200, 200, 409])
  expect(await put("half")).toBe(400)
})
