import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, test, vi } from "vitest"
import { encodeEdgeFrame } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import { ANYONE } from "../../worker/access/caller.ts"
import { Feed, type StreamStub } from "../../worker/http/feed.ts"
import { sse } from "../../worker/http/sse.ts"
import type { ReadAsk } from "../../worker/stream/stream-reads.ts"
import { append, ask, create, newStream, objectOf } from "./edge-client.ts"

const READ_BYTES_MAX = 10

const FIVE = { t: "data", from: "a" as Offset, next: "b" as Offset, upToDate: true, closed: false } as const

/** A feed of a socket whose other end is ours. */
async function feedOf(): Promise<{ feed: Feed; far: WebSocket }> {
  const { 0: near, 1: far } = new WebSocketPair()
  far.accept()
  const stub = {
    fetch: async () => new Response(null, { status: 101, webSocket: near }),
  } as unknown as StreamStub // what a feed asks of one
  const source = { stub, caller: ANYONE, readBytesMax: READ_BYTES_MAX }
  const feed = await Feed.open(source, "a" as Offset, new AbortController().signal)
  return { feed: feed!, far }
}

test("[HTTP3] a feed that nobody takes from ends, and what comes later is not taken for what is next", async () => {
  const { feed, far } = await feedOf()
  const closed = new Promise<void>((resolve) => far.addEventListener("close", () => resolve()))
  for (const body of ["11111", "22222", "3", "4"]) far.send(encodeEdgeFrame({ ...FIVE, body }) as string)
  await closed
  expect(await feed.next()).toBe(undefined)
})

test("[HTTP3] a frame that is larger than a page is taken by whoever waits, and so are any number of them", async () => {
  const { feed, far } = await feedOf()
  for (let n = 0; n < 5; n++) {
    far.send(encodeEdgeFrame({ ...FIVE, body: `"${n} is more than ten bytes"` }) as string)
    expect(await feed.next()).toMatchObject({ t: "data", body: `"${n} is more than ten bytes"` })
  }
  feed.close()
})

test("[HTTP3] server-sent events that were read too slowly go on without gap or repeat", async () => {
  const path = newStream()
  await create(path)
  const object = objectOf(path)
  let opened = 0
  const stub = {
    read: async (what: ReadAsk) => object.read(what, ANYONE),
    fetch: async (request: Request) => {
      opened++
      return object.fetch(request)
    },
  } as unknown as StreamStub // what server-sent events ask of one
  const source = {
    stub,
    caller: ANYONE,
    streams: env.STREAMS,
    store: undefined,
    readBytesMax: READ_BYTES_MAX,
  }
  const answer = await sse(source, "-1", null, LIMITS)
  for (let n = 0; n < 6; n++) await append(path, `"${n}....."`)
  await vi.waitFor(async () => {
    const sockets = await runInDurableObject(object, (_, state) => state.getWebSockets().length)
    expect(sockets).toBe(0)
  })
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  while (!text.includes("5.....")) text += (await reader.read()).value ?? "over"
  await ask(path, { method: "POST", headers: { "stream-closed": "true" } })
  for (let read = await reader.read(); !read.done; read = await reader.read()) text += read.value
  expect(text.match(/\d\.{5}/g)).toEqual(["0.....", "1.....", "2.....", "3.....", "4.....", "5....."])
  expect(text).toContain(`"streamClosed":true`)
  expect(opened).toBeGreaterThan(1)
})
