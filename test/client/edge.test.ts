import { expect, test, vi } from "vitest"
import { EdgeStream } from "../../client/sync/edge.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"

const MARK = { "headwater-edge": "1" }

function readingGone(headers: Record<string, string>) {
  const host = {
    after: () => () => {},
    fetch: async () => new Response("", { status: 410, headers: { ...MARK, ...headers } }),
  }
  const edge = new EdgeStream(host, "http://edge", "a/b" as StreamPath)
  return edge.read("0003" as Offset, new AbortController().signal)
}

test("[CONN4] a stream that the edge has trimmed past this device stops, and says from where it is kept", async () => {
  expect(await readingGone({ "stream-earliest-offset": "0009" })).toEqual({
    kind: "refused",
    reason: "diverged",
    error: {
      code: "diverged",
      message: expect.stringMatching(/keeps this stream from 0009 on.*has read less/),
    },
  })
})

test("[CONFLICT6] a place that the edge does not know is looked into", async () => {
  expect(await readingGone({})).toEqual({ kind: "gone" })
})

/** A network that answers as the test says, and what it was asked. */
function asking(...answers: (() => Response)[]) {
  const asked: RequestInit[] = []
  const timers: { ms: number; run: () => void; stopped: boolean }[] = []
  const host = {
    after(ms: number, run: () => void) {
      const timer = { ms, run, stopped: false }
      timers.push(timer)
      return () => {
        timer.stopped = true
      }
    },
    fetch: async (_url: string, init: RequestInit) => {
      asked.push(init)
      return answers[asked.length - 1]!()
    },
  }
  const edge = new EdgeStream(host, "http://edge", "a/b" as StreamPath)
  const signal = new AbortController().signal
  const silence = () => {
    for (const timer of timers) if (!timer.stopped) timer.run()
  }
  return { asked, edge, timers, silence, read: () => edge.read("0003" as Offset, signal), signal }
}

const PORTAL = { "content-type": "text/html", "stream-next-offset": "0009" }
const html = (status: number) => () =>
  new Response(status === 204 ? null : "<html>Sign in", { status, headers: PORTAL })
const page = (body: BodyInit) =>
  new Response(body, {
    headers: { ...MARK, "content-type": "application/json", "stream-next-offset": "0009" },
  })

test.each([200, 204, 301, 302, 400, 401, 403, 404, 409, 410, 429, 500, 511])(
  "[CONN12] %i without the edge's mark says nothing of the stream, whatever is asked",
  async (status) => {
    const made = asking(html(status), html(status))
    const notAnEdge = { kind: "failed", error: { code: "not-an-edge" }, unreached: true }
    expect(await made.read()).toMatchObject(notAnEdge)
    expect(await made.edge.create(made.signal)).toMatchObject(notAnEdge)
  },
)

test("[CONN12] a redirect is not followed, and is no answer of an edge", async () => {
  const redirect = { type: "opaqueredirect", status: 0, ok: false, headers: new Headers(), url: "" }
  const { read, asked } = asking(() => redirect as Response) // what a browser gives for one
  expect(await read()).toMatchObject({ error: { message: expect.stringContaining("gave a redirect") } })
  expect(asked[0]?.redirect).toBe("manual")
})

test("[CONN12] after a stranger's answer caches are passed by until the edge has answered", async () => {
  const { read, asked } = asking(
    html(200),
    () => page("[]"),
    () => page("[]"),
  )
  for (let n = 0; n < 3; n++) await read()
  expect(asked.map(({ cache }) => cache)).toEqual(["default", "reload", "default"])
})

test("[CONN13] a page that comes slowly is read to its end, and one that stops coming is given up", async () => {
  let parts: ReadableStreamDefaultController<Uint8Array> | undefined
  const body = () =>
    new ReadableStream<Uint8Array>({
      start(controller) {
        parts = controller
      },
    })
  const { read, asked, timers, silence } = asking(
    () => page(body()),
    () => page(body()),
  )
  const whole = read()
  const bytes = new TextEncoder().encode(`["é"]`)
  await vi.waitFor(() => expect(parts).toBeDefined())
  for (const [at, byte] of bytes.entries()) {
    const before = timers.length
    parts?.enqueue(Uint8Array.of(byte))
    await vi.waitFor(() => expect(timers.length, `byte ${at} is heard`).toBe(before + 1))
  }
  parts?.close()
  expect(await whole).toMatchObject({ kind: "done", value: { page: { messages: ["é"] } } })
  expect(timers.every(({ ms, stopped }) => ms === LIMITS.requestMsMax && stopped)).toBe(true)

  parts = undefined
  const half = read()
  await vi.waitFor(() => expect(parts).toBeDefined())
  asked[1]?.signal?.addEventListener("abort", () => parts?.error(new Error("aborted"))) // as `fetch` does
  parts!.enqueue(bytes.slice(0, 2))
  await vi.waitFor(() => expect(timers.at(-1)?.stopped).toBe(false))
  silence()
  expect(await half).toMatchObject({ kind: "failed", error: { code: "unreachable" }, unreached: true })
})
