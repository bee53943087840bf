import { expect, test, vi } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { append, ask, create, newStream } from "./edge-client.ts"

const JSON_BODY = Uint8Array.from(new TextEncoder().encode(`[{"n":1.0}, "é"]`))

async function compressed(
  bytes: Uint8Array<ArrayBuffer>,
  format: "gzip" | "deflate",
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(format))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

test.each(["gzip", "deflate"] as const)(
  "[HTTP2] a body in %s is taken as what it inflates to",
  async (format) => {
    const path = newStream()
    const body = await compressed(JSON_BODY, format)
    const created = await create(path, "application/json", { body, headers: { "content-encoding": format } })
    expect(created.status).toBe(201)
    expect((await append(path, body, { "content-encoding": format.toUpperCase() })).status).toBe(204)
    expect(await (await ask(path)).text()).toBe(`[{"n":1.0}, "é",{"n":1.0}, "é"]`)
  },
)

test("[HTTP2] a body that is not compressed may say so, and one that is empty closes a stream", async () => {
  const path = newStream()
  await create(path)
  expect((await append(path, "1", { "content-encoding": "identity" })).status).toBe(204)
  expect((await append(path, "", { "content-encoding": "gzip", "stream-closed": "true" })).status).toBe(204)
  expect(await (await ask(path)).text()).toBe("[1]")
})

test("[HTTP2] a body may inflate to the largest append, and to no byte more", async () => {
  const path = newStream()
  const noise = crypto.getRandomValues(new Uint8Array(20_000))
  const largest = Uint8Array.from(
    { length: LIMITS.appendBytesMax },
    (_, at) => noise[at % noise.length]! ^ (at >> 16),
  )
  await create(path, "application/octet-stream")
  const send = async (bytes: Uint8Array<ArrayBuffer>) => {
    const headers = { "content-encoding": "gzip", "content-type": "application/octet-stream" }
    return append(path, await compressed(bytes, "gzip"), headers)
  }
  expect((await send(largest)).status).toBe(204)
  const refused = await send(new Uint8Array(LIMITS.appendBytesMax + 1))
  expect([refused.status, await refused.json()]).toEqual([
    413,
    { message: expect.stringContaining("inflate") },
  ])
  expect(new Uint8Array(await (await ask(path)).arrayBuffer())).toEqual(largest)
})

test("[HTTP2] other encodings are 415 and name those that are taken; corrupt bodies are 400", async () => {
  const path = newStream()
  await create(path)
  const whole = await compressed(JSON_BODY, "gzip")
  for (const encoding of ["br", "zstd", "gzip, gzip", "deflate-raw", "__proto__", "constructor"]) {
    const refused = await append(path, whole, { "content-encoding": encoding })
    expect([encoding, refused.status]).toEqual([encoding, 415])
    expect(refused.headers.get("accept-encoding")).toBe("gzip, deflate")
  }
  const bent = whole.map((byte, at) => (at === whole.length >> 1 ? byte ^ 1 : byte))
  const bodies = [
    JSON_BODY,
    whole.slice(1),
    bent,
    new Uint8Array([...whole, 0]),
    await compressed(JSON_BODY, "deflate"),
  ]
  for (let cut = 1; cut < whole.length; cut++) bodies.push(whole.slice(0, cut))
  for (const body of bodies) {
    expect((await append(path, body, { "content-encoding": "gzip" })).status).toBe(400)
    expect((await ask(path, { method: "PUT", body, headers: { "content-encoding": "gzip" } })).status).toBe(
      400,
    )
  }
  expect(await (await ask(path)).text()).toBe("[]")
})

test("[HTTP2] a bomb is inflated no further than shows what it is; a large one not at all", async () => {
  const path = newStream()
  await create(path)
  const bomb = await compressed(new Uint8Array(100_000_000), "gzip")
  expect(bomb.length).toBeLessThan(100_000)
  const taken = countInflated()
  expect((await append(path, bomb, { "content-encoding": "gzip" })).status).toBe(413)
  expect(taken()).toBeGreaterThan(0)
  expect(taken()).toBeLessThanOrEqual(16 * 1024)
  const before = taken()
  const large = new Uint8Array(10_000_000)
  for (let at = 0; at + bomb.length < large.length; at += bomb.length) large.set(bomb, at)
  expect((await append(path, large, { "content-encoding": "gzip" })).status).toBe(413)
  expect(taken()).toBe(before)
  vi.unstubAllGlobals()
})

/** How many compressed bytes the edge has inflated since. */
function countInflated(): () => number {
  let taken = 0
  const Real = DecompressionStream
  class Counting {
    readonly readable: ReadableStream
    readonly writable: WritableStream
    constructor(format: "gzip" | "deflate") {
      const { readable, writable } = new Real(format)
      const writer = writable.getWriter()
      this.readable = readable
      this.writable = new WritableStream<Uint8Array>({
        write(part) {
          taken += part.length
          return writer.write(part)
        },
        close: () => writer.close(),
        abort: (reason) => writer.abort(reason),
      })
    }
  }
  vi.stubGlobal("DecompressionStream", Counting)
  return () => taken
}
