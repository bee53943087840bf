import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { env, exports } from "cloudflare:workers"
import { expect, test, vi } from "vitest"
import { CLOSE, SUBPROTOCOL } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { VERSION } from "../../shared/version.ts"
import { ANYONE } from "../../worker/access/caller.ts"
import { withClaim } from "../../worker/access/claim-header.ts"
import type { Env } from "../../worker/env.ts"
import { app } from "../../worker/http/app.ts"
import type { StreamStub } from "../../worker/http/feed.ts"
import { longPoll } from "../../worker/http/long-poll.ts"
import { sse } from "../../worker/http/sse.ts"
import { StreamObject } from "../../worker/stream/stream-object.ts"
import type { ReadAsk } from "../../worker/stream/stream-reads.ts"
import { append, ask, create, EdgeSocket, newStream, objectOf, producer } from "./edge-client.ts"

/** Asks an object of the stream that has other variables than the one which the edge reaches. */
async function asBounded<T>(
  path: string,
  variables: object,
  work: (object: StreamObject) => Promise<T>,
): Promise<T> {
  return runInDurableObject(objectOf(path), (_, state) =>
    work(new StreamObject(state, { ...env, ...variables })),
  )
}

const UPGRADE = { headers: { upgrade: "websocket", "sec-websocket-protocol": SUBPROTOCOL } }

test("[LIMIT5] a socket that a stream has no room for opens, and is closed with 4429", async () => {
  const path = newStream()
  await create(path)
  const open = await EdgeSocket.open(path, "now")
  await open.next()
  const code = (max: string) =>
    asBounded(path, { SOCKETS_MAX: max }, async (object) => {
      const { status, webSocket } = object.fetch(
        withClaim(new Request("http://stream/?live=ws&offset=now", UPGRADE), ANYONE),
      )
      expect(status).toBe(101)
      const heard = new Promise<number | "frame">((resolve) => {
        webSocket!.addEventListener("close", (event) => resolve(event.code))
        webSocket!.addEventListener("message", () => resolve("frame"))
      })
      webSocket!.accept()
      const first = await heard
      webSocket!.close()
      return first
    })
  expect(await code("1")).toBe(CLOSE.full)
  expect(await code("2")).toBe("frame")
})

test("[LIMIT5] long-polls and server-sent events count as sockets, and are answered 429", async () => {
  const path = newStream()
  await create(path)
  const open = await EdgeSocket.open(path, "now")
  await open.next()
  const answers = await asBounded(path, { SOCKETS_MAX: "1" }, async (object) => {
    const stub = {
      read: async (what: ReadAsk) => object.read(what, ANYONE),
      fetch: async (request: Request) => object.fetch(request),
    } as unknown as StreamStub // what a feed asks of one
    const { readBytesMax } = LIMITS
    const source = { stub, caller: ANYONE, streams: env.STREAMS, store: undefined, readBytesMax }
    return [
      await longPoll(source, "now", null, { bounds: LIMITS, hold: { ms: 1, applied: false } }),
      await sse(source, "now", null, LIMITS),
    ].map((answer) => {
      return { status: answer.status, wait: answer.headers.get("retry-after") }
    })
  })
  const full = { status: 429, wait: String(LIMITS.roomRetrySecondsMin) }
  expect(answers).toEqual([full, full])
})

test("[LIMIT4] appends that come too fast are answered 429 and said in the log once", async () => {
  const path = newStream()
  await create(path)
  const lines = vi.spyOn(console, "log").mockImplementation(() => undefined)
  const variables = { APPENDS_PER_SECOND_MAX: "1", APPENDS_BURST_MAX: "2" }
  const replies = await asBounded(path, variables, async (object) => {
    const [claim, body] = [{ ...CLAIM }, Uint8Array.from(new TextEncoder().encode("1"))]
    return Promise.all([1, 2, 3, 4].map(() => object.append(claim, body, ANYONE)))
  })
  const said = lines.mock.calls.map(([line]) => JSON.parse(String(line)) as { message: string })
  lines.mockRestore()
  expect(replies.map(({ status }) => status)).toEqual([204, 204, 429, 429])
  expect(replies[2]!.headers).toEqual({ "retry-after": "1" })
  expect(said).toMatchObject([{ message: "rate limited", object: objectOf(path).id.toString() }])
  await evictDurableObject(objectOf(path)) // which knows nothing of what another object wrote to its storage
  expect(await (await ask(path)).json()).toEqual([1, 1])
})

const CLAIM = {
  contentType: "application/json",
  producer: undefined,
  streamSeq: undefined,
  expectedOffset: undefined,
  close: false,
  principal: undefined,
}

const long = (length: number) => "x".repeat(length)

test.each([
  ["a producer's id", 400, (n: number) => producer(long(n), 0, 0), LIMITS.producerIdLengthMax],
  ["Stream-Seq", 400, (n: number) => ({ "stream-seq": long(n) }), LIMITS.streamSeqLengthMax],
  [
    "a content type",
    400,
    (n: number) => ({ "content-type": `application/json;${long(n - "application/json;".length)}` }),
    LIMITS.contentTypeLengthMax,
  ],
])(
  "[LIMIT2] %s may be as long as its bound, and one more or a hundred times is refused",
  async (_, status, headers, max) => {
    const path = newStream()
    await create(path)
    expect((await append(path, "1", headers(max))).ok).toBe(true)
    expect((await append(path, "1", headers(max + 1))).status).toBe(status)
    expect((await append(path, "1", headers(max * 20))).status).toBeGreaterThanOrEqual(status)
    expect(await (await ask(path)).json()).toEqual([1])
  },
)

test("[LIMIT2] headers of the protocol that are too large together are answered 431", async () => {
  const path = newStream()
  await create(path)
  const filler = (bytes: number) => ({ "stream-filler": long(bytes - "stream-filler".length) })
  const own = "content-type".length + "application/json".length
  expect((await append(path, "1", filler(LIMITS.headerBytesMax - own))).status).toBe(204)
  expect((await append(path, "1", filler(LIMITS.headerBytesMax - own + 1))).status).toBe(431)
  const fields = { producer: long(257), epoch: 0, seq: 0 }
  const socket = await EdgeSocket.open(path, "now")
  await socket.next()
  expect(await socket.append({ id: 1, ...fields, body: "1" })).toMatchObject([{ status: 400 }])
  expect(await socket.append({ id: 2, streamSeq: long(1_025), body: "1" })).toMatchObject([{ status: 400 }])
})

test("[LIMIT3] a frame that is larger than any may be closes its socket", async () => {
  const path = newStream()
  await create(path)
  const socket = await EdgeSocket.open(path, "now")
  await socket.next()
  socket.send(`{"t":"append","id":1}\n"${long(LIMITS.frameBytesMax)}"`)
  expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.malformed })
  expect(await (await ask(path)).text()).toBe("[]")
})

test("[CONF2] an edge whose variable is wrong refuses everything, and says why", async () => {
  const wrong = { ...env, READ_BYTES_MAX: "many" } as Env
  const at = (path: string, init?: RequestInit) =>
    app.fetch(new Request(`http://localhost${path}`, init), wrong)
  const message = `READ_BYTES_MAX is a whole number from 1 to 16777216; "many" came.`
  const lines = vi.spyOn(console, "log").mockImplementation(() => undefined)
  for (const path of ["/v1/stream/a", "/v1/meter/a", "/", "/v1/stream/a?offset=now&live=ws"]) {
    const response = await at(path, { headers: { "cf-ray": "8a1-FRA" } })
    expect([response.status, await response.json()]).toEqual([503, { message }])
  }
  expect(JSON.parse(String(lines.mock.calls[0]?.[0]))).toEqual({
    message: "not configured",
    method: "GET",
    path: "/v1/stream/a",
    ray: "8a1-FRA",
    error: message,
  })
  lines.mockRestore()
  const health = await at("/health")
  expect([health.status, await health.json()]).toEqual([
    503,
    { status: "unconfigured", version: VERSION, message },
  ])
})

test("[CONF3] health tells the version", async () => {
  const health = await exports.default.fetch("http://localhost/health")
  expect(await health.json()).toEqual({ status: "ok", version: VERSION })
})

test("[LIMIT6] a principal's object asks the streams themselves who has made them", async () => {
  const [path, other, ada] = [newStream(), newStream(), crypto.randomUUID()]
  const principal = env.PRINCIPALS.getByName(ada)
  expect(await principal.admit(ada, path)).toMatchObject({ kind: "counted" })
  const claim = {
    contentType: "application/json",
    lifetime: { kind: "endless" },
    retention: {},
    closed: false,
  } as const
  await objectOf(path).create({ ...claim, principal: ada }, new Uint8Array(), ANYONE)
  expect(await objectOf(path).creator()).toBe(ada)
  expect(await principal.admit(ada, path)).toEqual({ kind: "known" })
  expect(await objectOf(other).creator()).toBe(undefined)
  const admission = await principal.admit(ada, other)
  if (admission.kind === "counted") await principal.forget(other, admission.made)
  expect(await principal.admit(ada, other)).toMatchObject({ kind: "counted" })
})
