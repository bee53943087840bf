import { exports } from "cloudflare:workers"
import { expect, test } from "vitest"
import { CLOSE } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { append, ask, create, EdgeSocket, newStream, ORIGIN, offsetAfter, producer } from "./edge-client.ts"

test("[EDGE3] offsets count messages, and a read may begin at any of them", async () => {
  const path = newStream()
  const created = await create(path)
  const start = created.headers.get("stream-next-offset")!
  await append(path, `["a", {"b":[1,2]}, "}],"]`)
  const messages = [`"a"`, ` {"b":[1,2]}`, ` "}],"`, `"d"`]
  await append(path, `"d"`)
  const inside = (n: number) =>
    ask(`${path}?offset=${offsetAfter(start, ...messages.slice(0, n))}`).then((response) => response.text())
  expect(await inside(0)).toBe(`["a", {"b":[1,2]}, "}],","d"]`)
  expect(await inside(1)).toBe(`[ {"b":[1,2]}, "}],","d"]`)
  expect(await inside(2)).toBe(`[ "}],","d"]`)
  expect(await inside(3)).toBe(`["d"]`)
  expect(await inside(4)).toBe(`[]`)
})

test("[EDGE4] an offset that the log does not lead to is lost, and never read from as if it were a place", async () => {
  const path = newStream()
  const created = await create(path)
  const start = created.headers.get("stream-next-offset")!
  await append(path, `[1,2,3]`)
  const lost = [
    offsetAfter(start, "1", "2", "4"),
    offsetAfter(start, "2"),
    offsetAfter(start, "1", "2", "3", "4"),
  ]
  for (const offset of lost) {
    expect((await ask(`${path}?offset=${offset}`)).status).toBe(410)
    const socket = await EdgeSocket.open(path, offset)
    expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.gone })
  }
  expect(await (await ask(`${path}?offset=${offsetAfter(start, "1", "2")}`)).text()).toBe("[3]")
})

test("[EDGE5] a read between two offsets ends there, never changes, and does not run backwards", async () => {
  const path = newStream()
  const start = (await create(path)).headers.get("stream-next-offset")!
  await append(path, "[1,2,3]")
  const [one, two] = [offsetAfter(start, "1"), offsetAfter(start, "1", "2")]
  const between = await ask(`${path}?offset=${one}&end=${two}`)
  expect(await between.text()).toBe("[2]")
  expect(between.headers.get("cache-control")).toContain("immutable")
  expect(await (await ask(`${path}?offset=${two}&end=${two}`)).text()).toBe("[]")
  expect((await ask(`${path}?offset=${two}&end=${one}`)).status).toBe(400)
  expect((await ask(`${path}?offset=${one}&end=-1`)).status).toBe(400)
})

test("[EDGE10] times beyond what the platform can ring at are taken, early and late", async () => {
  const path = newStream()
  const late = { "stream-expires-at": "9999-12-31T23:59:59Z" }
  expect((await create(path, "application/json", { headers: late })).status).toBe(201)
  expect((await append(path, "1")).status).toBe(204)
  const early = { "stream-expires-at": "1600-01-01T00:00:00Z" }
  expect((await create(newStream(), "application/json", { headers: early })).status).toBe(201)
})

test("[EDGE13] an append that expects the stream to end elsewhere is refused and takes no number", async () => {
  const path = newStream()
  const created = await create(path)
  const start = created.headers.get("stream-next-offset")!
  const expecting = (offset: string, seq: number) =>
    append(path, `"${seq}"`, { "stream-expected-offset": offset, ...producer("p", 0, seq) })
  const first = await expecting(start, 0)
  expect(first.status).toBe(200)
  expect(first.headers.get("stream-from-offset")).toBe(start)
  const refused = await expecting(start, 1)
  expect(refused.status).toBe(409)
  expect(refused.headers.get("stream-next-offset")).toBe(first.headers.get("stream-next-offset"))
  expect((await expecting(start, 0)).status).toBe(204)
  expect((await expecting(refused.headers.get("stream-next-offset")!, 1)).status).toBe(200)
  expect((await expecting("not an offset", 2)).status).toBe(400)
  expect(await (await ask(path)).json()).toEqual(["0", "1"])
})

test("[EDGE2] messages come back as they were sent: numbers, keys and spaces keep their spelling", async () => {
  const path = newStream()
  await create(path)
  const body = `{"n":1.0,"n":1e400, "big":12345678901234567890}`
  await append(path, body)
  expect(await (await ask(path)).text()).toBe(`[${body}]`)
})

test("[EDGE4] an offset of a stream that was deleted is gone, not a place in its successor", async () => {
  const path = newStream()
  await create(path, "application/json", { body: "[1,2,3]" })
  const old = (await ask(path)).headers.get("stream-next-offset")!
  await ask(path, { method: "DELETE" })
  expect((await ask(`${path}?offset=${old}`)).status).toBe(404)
  const created = await create(path, "application/json", { body: "[4,5,6]" })
  expect(created.status).toBe(201)
  expect(created.headers.get("stream-next-offset")! > old).toBe(true)
  expect((await ask(`${path}?offset=${old}`)).status).toBe(410)
  expect(await (await ask(path)).json()).toEqual([4, 5, 6])
})

test("[EDGE5] a page ends with a whole batch, and the last one says that it is up to date", async () => {
  const path = newStream()
  await create(path)
  const batch = (n: number) =>
    JSON.stringify(Array.from({ length: 10 }, (_, i) => ({ n: n * 10 + i, pad: "x".repeat(99_000) })))
  for (let n = 0; n < 9; n++) await append(path, batch(n))
  const seen: number[] = []
  let offset = "-1"
  for (let pages = 1; ; pages++) {
    const page = await ask(`${path}?offset=${offset}`)
    const messages: { n: number }[] = await page.json()
    expect(messages.length % 10).toBe(0)
    expect(messages.length * 99_000).toBeLessThanOrEqual(LIMITS.readBytesMax)
    seen.push(...messages.map(({ n }) => n))
    offset = page.headers.get("stream-next-offset")!
    if (page.headers.get("stream-up-to-date") !== "true") continue
    expect(pages).toBe(3)
    break
  }
  expect(seen).toEqual(Array.from({ length: 90 }, (_, n) => n))
})

test("[EDGE6] a closed stream still knows a batch that it has taken", async () => {
  const path = newStream()
  await create(path)
  await append(path, "1", producer("p", 0, 0))
  await append(path, "2", { ...producer("p", 0, 1), "stream-closed": "true" })
  for (const seq of [0, 1]) {
    const again = await append(path, "1", producer("p", 0, seq))
    expect([again.status, again.headers.get("stream-closed")]).toEqual([204, "true"])
  }
  const next = await append(path, "3", producer("p", 0, 2))
  expect([next.status, next.headers.get("stream-closed")]).toEqual([409, "true"])
  expect(await (await ask(path)).json()).toEqual([1, 2])
})

test("[EDGE7] a duplicate of a producer's last batch tells where that batch ended", async () => {
  const path = newStream()
  await create(path)
  const first = await append(path, "1", producer("p", 0, 0))
  await append(path, "2")
  const again = await append(path, "1", producer("p", 0, 0))
  expect(again.status).toBe(204)
  expect(again.headers.get("stream-next-offset")).toBe(first.headers.get("stream-next-offset"))
})

const REFUSED: [string, RequestInit, number][] = [
  ["an offset of another shape", {}, 400],
  ["JSON that is none", { method: "POST", body: "{" }, 400],
  ["two JSON values", { method: "POST", body: "1 2" }, 400],
  ["bytes that are no text", { method: "POST", body: new Uint8Array([34, 255, 34]) }, 400],
  ["an empty array", { method: "POST", body: "[]" }, 400],
  ["an epoch that is no number", { method: "POST", body: "1", headers: producer("p", Number.NaN, 0) }, 400],
  [
    "a seq beyond 2^53-1",
    { method: "POST", body: "1", headers: { ...producer("p", 0, 0), "producer-seq": "9007199254740992" } },
    400,
  ],
  ["a content type that is none", { method: "PUT", headers: { "content-type": "json" } }, 400],
  ["a fork", { method: "PUT", headers: { "stream-forked-from": "other" } }, 400],
  ["a method that streams have not", { method: "PROPFIND" }, 405],
  ["an append that is too large", { method: "POST", body: new Uint8Array(LIMITS.appendBytesMax + 1) }, 413],
  ["messages that nest too deep", { method: "POST", body: "[".repeat(66) + "]".repeat(66) }, 400],
]

test.each(REFUSED)("[EDGE8] %s is refused in one sentence and stores nothing", async (what, init, status) => {
  const path = newStream()
  await create(path)
  const url = what.startsWith("an offset") ? `${path}?offset=abc` : path
  const response = await ask(url, {
    ...init,
    headers: { "content-type": "application/json", ...init.headers },
  })
  expect(response.status).toBe(status)
  expect(((await response.json()) as { message: string }).message).toMatch(/^[A-Z].*\.$/)
  expect(response.headers.get("access-control-allow-origin")).toBe("*")
  expect(response.headers.get("cache-control")).toBe("no-store")
  expect(await (await ask(path)).text()).toBe("[]")
})

test("[EDGE8] the largest append is taken, and the deepest message", async () => {
  const path = newStream()
  await create(path)
  expect((await append(path, `"${"x".repeat(LIMITS.appendBytesMax - 2)}"`)).status).toBe(204)
  expect((await append(path, "[".repeat(65) + "]".repeat(65))).status).toBe(204)
})

test.each(["", "a".repeat(LIMITS.pathLengthMax + 1), "a/__ds/b"])(
  "[EDGE8] %j names no stream",
  async (path) => {
    expect((await create(path)).status).toBe(404)
    expect((await ask(path)).status).toBe(404)
  },
)

test("[EDGE8] the prefix of streams in another spelling leads to none", async () => {
  const [path, other] = [newStream(), `${ORIGIN}/v1/str%65am/`]
  for (const method of ["PUT", "GET"]) {
    const answer = await exports.default.fetch(other + path, { method })
    expect(answer.status).toBe(404)
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining("/v1/str%65am/") })
  }
})

test("[EDGE8] other addresses are not found, and health is", async () => {
  const other = await exports.default.fetch(`${ORIGIN}/v2/stream/a`)
  expect([other.status, other.headers.get("x-content-type-options")]).toEqual([404, "nosniff"])
  expect((await exports.default.fetch(`${ORIGIN}/health`)).status).toBe(200)
})
