import {
  DurableStream,
  IdempotentProducer,
  type LiveMode,
  StaleEpochError,
  stream,
} from "@durable-streams/client"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { type SocketFetch, socketFetch } from "../support/socket-fetch.ts"

/*
 * The npm client of the open protocol, which knows nothing of us, against our edge: once over HTTP as it is, and
 * once with a `fetch` that takes its appends and reads over our WebSocket.
 */

let edge: TestEdge

beforeAll(async () => {
  edge = await startEdge()
})

afterAll(() => edge.stop())

const overSocket: SocketFetch = socketFetch()

const TRANSPORTS: [string, typeof fetch][] = [
  ["HTTP", fetch],
  ["a WebSocket", overSocket.fetch],
]

describe.each(TRANSPORTS)("the official client over %s", (transport, carry) => {
  const urlOf = (name: string) => `${edge.url}/v1/stream/client/${transport.replace(" ", "-")}/${name}`

  const create = (name: string, contentType: string, options: object = {}) =>
    DurableStream.create({ url: urlOf(name), contentType, fetch: carry, warnOnHttp: false, ...options })

  /** All that there is, when that is no more than one answer carries. */
  const readPage = (name: string, offset = "-1") =>
    stream({ url: urlOf(name), offset, live: false, fetch: carry, warnOnHttp: false })

  const follow = (name: string, live: LiveMode, signal: AbortSignal, offset = "-1") =>
    stream({ url: urlOf(name), offset, live, signal, fetch: carry, warnOnHttp: false })

  test("[EDGE1] appends JSON one by one and many at once, and reads what it appended", async () => {
    const handle = await create("json", "application/json")
    for (let n = 0; n < 5; n++) await handle.append(JSON.stringify({ n }))
    await Promise.all(Array.from({ length: 50 }, (_, at) => handle.append(JSON.stringify({ n: at + 5 }))))
    const all = await readPage("json")
    expect(await all.json()).toEqual(Array.from({ length: 55 }, (_, n) => ({ n })))
    expect([all.upToDate, all.streamClosed]).toEqual([true, false])
  })

  test("[EDGE1] appends text and reads it back, and reads on from where it was", async () => {
    const handle = await create("text", "text/plain")
    for (const line of ["é\n", "", "\r\n", "日本 😀", "\n\n"]) if (line !== "") await handle.append(line)
    const first = await readPage("text")
    expect(await first.text()).toBe("é\n\r\n日本 😀\n\n")
    await handle.append("more")
    expect(await (await readPage("text", first.offset)).text()).toBe("more")
    const last = await readPage("text", (await readPage("text", "now")).offset)
    expect([await last.text(), last.upToDate]).toEqual(["", true])
  })

  test("[EDGE1] appends bytes, also as a stream of them, and reads them back", async () => {
    const handle = await create("bytes", "application/octet-stream", { body: new Uint8Array([255, 0]) })
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    await handle.append(every)
    await handle.appendStream(
      (async function* () {
        yield new Uint8Array([10, 13])
        yield new Uint8Array([10])
      })(),
    )
    expect(await (await readPage("bytes")).body()).toEqual(new Uint8Array([255, 0, ...every, 10, 13, 10]))
  })

  test("[EDGE1] produces idempotently: batches in flight side by side are stored once, in order", async () => {
    const handle = await create("produced", "application/json")
    const failures: Error[] = []
    const options = {
      fetch: carry,
      lingerMs: 1,
      maxBatchBytes: 400,
      onError: (error: Error) => failures.push(error),
    }
    const producer = new IdempotentProducer(handle, "p", options)
    for (let n = 0; n < 500; n++) producer.append(JSON.stringify({ n }))
    await producer.flush()
    expect(failures).toEqual([])
    const wanted = Array.from({ length: 500 }, (_, n) => ({ n }))
    expect(await (await readPage("produced")).json()).toEqual(wanted)

    const again = new IdempotentProducer(handle, "p", options)
    again.append(JSON.stringify({ n: 0 }))
    await again.flush()
    expect(await (await readPage("produced")).json()).toEqual(wanted)

    const next = new IdempotentProducer(handle, "p", { ...options, epoch: 1 })
    next.append(JSON.stringify({ n: 500 }))
    const { finalOffset } = await next.close(JSON.stringify({ n: 501 }))
    const all = await readPage("produced")
    expect(await all.json()).toEqual([...wanted, { n: 500 }, { n: 501 }])
    expect([all.offset, all.streamClosed]).toEqual([finalOffset, true])
  })

  test("[EDGE1] a producer of an earlier epoch is fenced, and may claim a later one", async () => {
    const handle = await create("fenced", "text/plain")
    const failures: Error[] = []
    const produce = async (text: string, epoch: number, autoClaim: boolean) => {
      const onError = (error: Error) => failures.push(error)
      const producer = new IdempotentProducer(handle, "p", {
        fetch: carry,
        epoch,
        autoClaim,
        lingerMs: 0,
        onError,
      })
      producer.append(text)
      await producer.flush()
    }
    await produce("a", 3, false)
    await produce("b", 2, false)
    expect(failures).toEqual([expect.any(StaleEpochError)])
    await produce("c", 0, true)
    expect(await (await readPage("fenced")).text()).toBe("ac")
  })

  test.each(["long-poll", "sse"] as const)(
    "[EDGE1] follows JSON by %s to the end of the stream",
    async (live) => {
      const name = `follow-json-${live}`
      const handle = await create(name, "application/json", { body: `[{"n":0},{"n":1}]` })
      const session = await follow(name, live, AbortSignal.timeout(60_000))
      const heard: unknown[] = []
      session.subscribeJson(({ items }) => void heard.push(...items))
      for (let n = 2; n < 10; n++) {
        await expect.poll(() => heard.length).toBe(n)
        await handle.append(JSON.stringify({ n }))
      }
      await handle.close({ body: JSON.stringify({ n: 10 }) })
      await session.closed
      await expect.poll(() => heard).toEqual(Array.from({ length: 11 }, (_, n) => ({ n })))
      expect(session.streamClosed).toBe(true)
    },
  )

  test.each(["long-poll", "sse"] as const)(
    "[EDGE1] follows text and bytes by %s to the end",
    async (live) => {
      const parts = ["one\n", "é\n\n", "data: three\n\n", " four"] // server-sent events make one of all line ends
      const whole = new TextEncoder().encode(parts.join(""))
      for (const [contentType, name] of [
        ["text/plain", `follow-text-${live}`],
        ["application/octet-stream", `follow-bytes-${live}`],
      ] as const) {
        const handle = await create(name, contentType)
        const session = await follow(name, live, AbortSignal.timeout(60_000))
        const heard: number[] = []
        session.subscribeBytes(({ data }) => void heard.push(...data))
        let length = 0
        for (const part of parts) {
          await handle.append(part)
          length += new TextEncoder().encode(part).length
          await expect.poll(() => heard.length).toBe(length)
        }
        await handle.close()
        await session.closed
        await expect.poll(() => new Uint8Array(heard)).toEqual(whole)
      }
    },
  )

  test("[EDGE1] stops following when it likes, and takes up where it was", async () => {
    const handle = await create("resume", "application/json", { body: "[0,1,2]" })
    for (const live of ["long-poll", "sse"] as const) {
      const one = new AbortController()
      const session = await follow("resume", live, one.signal)
      const heard: unknown[] = []
      session.subscribeJson(({ items }) => void heard.push(...items))
      await expect.poll(() => heard.length).toBe(3)
      session.cancel()
      await session.closed
      const next = await follow("resume", live, AbortSignal.timeout(60_000), session.offset)
      const after: unknown[] = []
      next.subscribeJson(({ items }) => void after.push(...items))
      await handle.append("3")
      await expect.poll(() => after).toEqual([3])
      next.cancel()
      await handle.delete()
      await create("resume", "application/json", { body: "[0,1,2]" })
    }
  })

  test("[EDGE1] closes a stream, which then takes nothing and ends at the same place for ever", async () => {
    const handle = await create("closed", "application/json", { body: `["first"]` })
    const { finalOffset } = await handle.close({ body: `"last"` })
    expect(await handle.close()).toEqual({ finalOffset })
    await expect(handle.append(`"late"`)).rejects.toMatchObject({ status: 409 })
    await expect(handle.close({ body: `"late"` })).rejects.toMatchObject({ status: 409 })
    expect(await handle.head()).toMatchObject({ exists: true, offset: finalOffset, streamClosed: true })
    const all = await readPage("closed")
    expect([await all.json(), all.offset, all.streamClosed]).toEqual([["first", "last"], finalOffset, true])
    for (const live of ["long-poll", "sse"] as const) {
      const session = await follow("closed", live, AbortSignal.timeout(60_000), finalOffset)
      expect(await session.json()).toEqual([])
      expect(session.streamClosed).toBe(true)
    }
  })

  test("[EDGE1] creates a stream whole, and is told when another is there under its name", async () => {
    const options = { body: `["all"]`, closed: true, ttlSeconds: 3_600 }
    await create("whole", "application/json", options)
    await create("whole", "application/json", options)
    await expect(create("whole", "text/plain")).rejects.toMatchObject({ status: 409 })
    const all = await readPage("whole")
    expect([await all.json(), all.streamClosed]).toEqual([["all"], true])
  })

  test("[EDGE1] deletes a stream: it is missing, and its offsets belong to no successor", async () => {
    const handle = await create("deleted", "application/json", { body: "[1,2]" })
    const { offset } = await readPage("deleted")
    await handle.append("3")
    await handle.delete()
    await expect(handle.append("4")).rejects.toMatchObject({ status: 404 })
    expect(await handle.head()).toEqual({ exists: false })
    await expect(readPage("deleted")).rejects.toMatchObject({ status: 404 })
    await expect(handle.delete()).rejects.toMatchObject({ status: 404 })
    await create("deleted", "application/json", { body: "[5,6,7]" })
    await expect(readPage("deleted", offset)).rejects.toMatchObject({ status: 410 })
    expect(await (await readPage("deleted")).json()).toEqual([5, 6, 7])
  })

  test("[EDGE1] is refused what the stream does not take, and nothing of it is stored", async () => {
    const handle = await create("refusing", "application/json")
    await handle.append("1", { seq: "b" })
    await expect(handle.append("2", { seq: "a" })).rejects.toMatchObject({ status: 409 })
    const wrongType = new DurableStream({ url: urlOf("refusing"), contentType: "text/plain", fetch: carry })
    await expect(wrongType.append("text")).rejects.toMatchObject({ status: 409 })
    const missing = new DurableStream({ url: urlOf("nowhere"), contentType: "text/plain", fetch: carry })
    await expect(missing.append("text")).rejects.toMatchObject({ status: 404 })
    const odd = new DurableStream({
      url: urlOf("refusing"),
      contentType: "application/json",
      fetch: carry,
      batching: false,
    })
    await expect(odd.append("{")).rejects.toMatchObject({ status: 400 })
    expect(await (await readPage("refusing")).json()).toEqual([1])
  })

  test("[EDGE1] reads a history of many pages, without gap or repeat", async () => {
    const handle = await create("long", "application/json")
    const pad = "x".repeat(60_000)
    for (let n = 0; n < 150; n++) await handle.append(JSON.stringify({ n, pad }))
    const wanted = Array.from({ length: 150 }, (_, n) => n)
    const pages: { n: number }[] = []
    let page = await readPage("long")
    for (;;) {
      pages.push(...(await page.json<{ n: number }>()))
      if (page.upToDate) break
      page = await readPage("long", page.offset)
    }
    expect(pages.map(({ n }) => n)).toEqual(wanted)
    const session = await follow("long", "long-poll", AbortSignal.timeout(60_000))
    expect((await session.json<{ n: number }>()).map(({ n }) => n)).toEqual(wanted)
  })

  test("[EDGE1] writes from a pipe", async () => {
    await create("piped", "text/plain")
    const handle = await DurableStream.connect({ url: urlOf("piped"), fetch: carry, warnOnHttp: false })
    const source = new ReadableStream<string>({
      start(controller) {
        for (let n = 0; n < 100; n++) controller.enqueue(`${n},`)
        controller.close()
      },
    })
    await source.pipeTo(handle.writable())
    expect(await (await readPage("piped")).text()).toBe(
      Array.from({ length: 100 }, (_, n) => `${n},`).join(""),
    )
  })
})

test("[EDGE1] what was to go over a WebSocket did", () => {
  overSocket.close()
  const { appends, reads, detours } = overSocket.counts
  expect(appends).toBeGreaterThan(100)
  expect(reads).toBeGreaterThan(50)
  expect(detours).toBeLessThan((appends + reads) / 5)
})
