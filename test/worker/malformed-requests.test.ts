import { exports } from "cloudflare:workers"
import fc from "fast-check"
import { expect, inject, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { append, ask, create, newStream, producer } from "./edge-client.ts"

const REQUESTS = 5_000
const LANES = 10
const PATIENCE_MS = 300_000

/** A request that nobody answers is among what this looks for. */
const ANSWER_MS_MAX = 10_000

/** What is in the stream that no malformed request may change. */
const LOG = "[1,2,3]"

type Odd = {
  readonly method: string
  readonly query: string
  readonly headers: Record<string, string>
  readonly body: string | Uint8Array<ArrayBuffer>
}

/** Whatever a header may hold without doubt: of other characters runtimes have different opinions. */
const value = fc.string({ unit: "grapheme-ascii", maxLength: 30 })

const whole = fc
  .oneof(
    fc.constantFrom(
      "0",
      "00",
      "-0",
      "-1",
      "+1",
      "1.0",
      "1e3",
      "0x1",
      " 1",
      "1 ",
      "NaN",
      "Infinity",
      "1,2",
      "٣",
    ),
    fc.constantFrom("9007199254740991", "9007199254740992", "18446744073709551616", "9".repeat(400)),
    fc.integer().map(String),
  )
  .filter((text) => /^[ -~]*$/.test(text))

const HEADERS: Record<string, fc.Arbitrary<string>> = {
  "content-type": fc.oneof(
    value,
    fc.constantFrom("", "/", "a/", "a/b;", "a/b/c", "application/json, text/plain", "*/*"),
  ),
  "content-encoding": fc.oneof(value, fc.constantFrom("gzip", "deflate", "br", "gzip,gzip", "__proto__")),
  "producer-id": fc.oneof(value, fc.constantFrom("x".repeat(257), "x".repeat(10_000))),
  "producer-epoch": fc.oneof(value, whole),
  "producer-seq": fc.oneof(value, whole),
  "stream-seq": fc.oneof(value, fc.constant("x".repeat(10_000))),
  "stream-ttl": fc.oneof(value, whole),
  "stream-expires-at": fc.oneof(
    value,
    fc.constantFrom(
      "2026",
      "2026-13-01T00:00:00Z",
      "2026-02-30T25:61:61Z",
      "275761-01-01T00:00:00Z",
      "now",
      "0",
    ),
  ),
  "stream-closed": fc.oneof(value, fc.constantFrom("false", "1", "yes")),
  "if-none-match": fc.oneof(value, fc.constantFrom("*", `"`, `W/`, `"a","b`, "x".repeat(10_000))),
  prefer: fc.oneof(value, fc.constantFrom("wait", "wait=", `wait="`, ";wait=1", "wait=1;;;", ",,,")),
  upgrade: fc.oneof(value, fc.constantFrom("websocket", "h2c")),
  "sec-websocket-protocol": fc.oneof(value, fc.constantFrom("headwater.v1", "headwater.v2", ",,")),
  range: fc.oneof(value, fc.constantFrom("bytes=0-1")),
}

const headers = fc
  .dictionary(fc.constantFrom(...Object.keys(HEADERS)), fc.constant(""))
  .chain((chosen) =>
    fc.record(Object.fromEntries(Object.keys(chosen).map((name) => [name, HEADERS[name]!]))),
  ) as fc.Arbitrary<Record<string, string>> // of the names that were chosen

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 20 }).map((raw) => encodeURIComponent(raw.toWellFormed())),
  fc.constantFrom(
    "%00",
    "%",
    "%zz",
    "%ff",
    "%0a",
    "+",
    "-1",
    "now",
    "-2",
    "",
    "0",
    "000000000_0000000000000000",
  ),
  fc.constantFrom("zzzzzzzzz_9999999999999999", "a,b", "a=b", "a%26b", "x".repeat(3_000), "__proto__"),
)

const query = fc
  .array(fc.tuple(fc.constantFrom("offset", "live", "cursor", "LIVE", "__proto__", ""), text), {
    maxLength: 4,
  })
  .map((pairs) => pairs.map(([name, given]) => `${name}=${given}`).join("&"))

/** None that is held: the runtime looks at its timers when nobody asks it anything, and here somebody always does. */
const liveQuery = fc
  .tuple(
    text.filter((offset) => offset !== "now"),
    fc.constantFrom("long-poll", "sse", "ws"),
    text,
  )
  .map(([offset, live, cursor]) => `offset=${offset}&live=${live}&cursor=${cursor}`)

const odd: fc.Arbitrary<Odd> = fc.record({
  method: fc.constantFrom("GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE", "PATCH", "PURGE", "OPTIONS"),
  query: fc.oneof({ weight: 2, arbitrary: query }, { weight: 1, arbitrary: liveQuery }),
  headers,
  body: fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.uint8Array().map((bytes) => Uint8Array.from(bytes)),
  ),
})

/** Sends it and takes the answer, which is none of a server that failed. */
async function send(path: string, { method, query: asked, headers: given, body }: Odd): Promise<number> {
  const hasBody = ["POST", "PUT", "PATCH", "DELETE"].includes(method)
  const response = await exports.default.fetch(
    new Request(`http://localhost/v1/stream/${path}?${asked}`, {
      method,
      headers: given,
      body: hasBody ? body : null,
    }),
  )
  const sent = JSON.stringify({ method, asked, given }).slice(0, 300)
  expect(response.status, sent).toBeLessThan(500)
  if (response.webSocket !== null) {
    response.webSocket.accept()
    response.webSocket.close()
    return response.status
  }
  expect(response.headers.get("x-content-type-options"), sent).toBe("nosniff")
  if (response.status < 400 || method === "HEAD") await response.body?.cancel()
  else expect(await response.json(), sent).toEqual({ message: expect.stringMatching(/\.$/) })
  return response.status
}

test(`[EDGE8] ${REQUESTS} malformed requests are answered, and what they are refused changes nothing`, {
  timeout: PATIENCE_MS,
}, async () => {
  const statuses = new Map<number, number>()
  const lanes = Array.from({ length: LANES }, async (_, lane) => {
    let path = ""
    const property = fc.asyncProperty(odd, async (request) => {
      if (path === "") {
        path = newStream()
        await create(path, "application/json", { body: LOG })
      }
      const status = await send(path, request)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      const isAccepted = status < 300 && !["GET", "HEAD", "OPTIONS"].includes(request.method)
      if (isAccepted) path = ""
      else expect(await (await ask(path)).text()).toBe(LOG)
    })
    const numRuns = Math.ceil(REQUESTS / LANES)
    await fc.assert(property, {
      numRuns,
      seed: inject("seed") + lane,
      timeout: ANSWER_MS_MAX,
      endOnFailure: true,
    })
  })
  await Promise.all(lanes)
  for (const status of [400, 405, 409, 415, 426])
    expect(statuses.get(status), `${status}s`).toBeGreaterThan(10)
})

const PIECES = [
  "a",
  "..",
  ".",
  "%2e%2e",
  "%2E",
  "%2f",
  "%5c",
  "%00",
  "%0a",
  "%",
  "%zz",
  "%ff",
  "%c3%28",
  "é",
  "日本",
  "__ds",
]
const MARKS = [
  "%5f%5fds",
  "__d%73",
  " ",
  "",
  ";",
  "@",
  ":",
  "~",
  "$&",
  "__proto__",
  "constructor",
  "\\",
  "x".repeat(600),
]

const path = fc
  .array(fc.constantFrom(...PIECES, ...MARKS), { maxLength: 6 })
  .map((pieces) => pieces.join("/"))

test("[EDGE8] whatever a path is made of, it is a stream or it is not", {
  timeout: PATIENCE_MS,
}, async () => {
  const property = fc.asyncProperty(path, async (odd) => {
    const put = await create(odd)
    expect([200, 201, 404], odd).toContain(put.status)
    const url = new URL(`http://localhost/v1/stream/${odd}`)
    const isReserved = url.pathname
      .split("/")
      .some((segment) => ["__ds", "%5f%5fds", "__d%73"].includes(segment))
    if (isReserved || !url.pathname.startsWith("/v1/stream/")) expect(put.status, odd).toBe(404)
    const read = await ask(odd)
    expect(read.status, odd).toBe(put.status === 404 ? 404 : 200)
    if (put.status !== 404) expect(await read.text()).toBe("[]")
  })
  await fc.assert(property, { numRuns: 500, seed: inject("seed"), endOnFailure: true })
})

const AROUND = [0, 1, 1_000_000]

test("[EDGE8] a path at its limit is a stream, one above it and one far above are none", async () => {
  for (const above of [0, 1, 10_000]) {
    const name = `${newStream()}/`.padEnd(LIMITS.pathLengthMax + above, "x")
    expect((await create(name)).status).toBe(above === 0 ? 201 : 404)
    expect((await append(name, "1")).status).toBe(above === 0 ? 204 : 404)
  }
})

test("[EDGE6] an append at its limit is taken, one above it and one far above are not, whoever creates or appends", async () => {
  for (const above of AROUND) {
    const body = new Uint8Array(LIMITS.appendBytesMax + above)
    const name = newStream()
    const created = await create(name, "application/octet-stream", { body })
    expect(created.status).toBe(above === 0 ? 201 : 413)
    await create(name, "application/octet-stream")
    const headers = { "content-type": "application/octet-stream" }
    expect((await append(name, body, headers)).status).toBe(above === 0 ? 204 : 413)
  }
})

test("[EDGE8] JSON at its deepest is taken, one level deeper and far deeper are not", async () => {
  for (const above of [0, 1, 100_000]) {
    const deep = (LIMITS.jsonDepthMax + above) | 0
    for (const [open, close] of [
      ["[", "]"],
      [`{"a":`, "}"],
    ] as const) {
      const message = `${open.repeat(deep)}1${close.repeat(deep)}`
      const name = newStream()
      expect((await create(name, "application/json", { body: `[${message}]` })).status).toBe(
        above === 0 ? 201 : 400,
      )
      await create(name)
      expect((await append(name, `[${message}]`)).status).toBe(above === 0 ? 204 : 400)
    }
  }
})

test("[EDGE7] a producer's id and numbers at their limits are taken, those beyond are not", async () => {
  const name = newStream()
  await create(name)
  const longest = "x".repeat(LIMITS.producerIdLengthMax)
  expect((await append(name, "1", producer(longest, Number.MAX_SAFE_INTEGER, 0))).status).toBe(200)
  for (const id of ["", `${longest}x`, "x".repeat(5_000)]) {
    expect((await append(name, "1", producer(id, 0, 0))).status).toBe(400)
  }
  const headersTooLong = await append(name, "1", producer("x".repeat(LIMITS.headerBytesMax), 0, 0))
  expect(headersTooLong.status).toBe(431)
  for (const number of ["9007199254740992", "9".repeat(400), "-1", "1.0", "0x1", "1e3"]) {
    for (const field of ["producer-epoch", "producer-seq"]) {
      expect((await append(name, "1", { ...producer("p", 0, 0), [field]: number })).status).toBe(400)
    }
  }
  expect(await (await ask(name)).text()).toBe("[1]")
})
