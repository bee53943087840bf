import { expect, test, vi } from "vitest"
import { EdgeStream } from "../../client/sync/edge.ts"
import { Tokens } from "../../client/sync/tokens.ts"
import type { Millis, StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import { EMPTY, world as oneStream } from "./one-stream.ts"

/** A token that ends so many milliseconds after the beginning of the test, as anybody can read in it. */
function token(name: string, endMs?: number): string {
  const claims = { sub: "ä", ...(endMs !== undefined && { exp: endMs / 1000 }) }
  const bytes = new TextEncoder().encode(JSON.stringify(claims))
  return `${name}.${btoa(String.fromCharCode(...bytes)).replaceAll("=", "")}.signature`
}

/** A clock, an app with a list of answers, and an edge with a list of statuses. */
function world(answers: readonly (string | Error)[], statuses: readonly number[] = []) {
  const seen = { time: 0, asked: 0, shown: [] as (string | null)[], urls: [] as string[] }
  const after = () => () => {}
  const tokens = new Tokens({ now: () => seen.time as Millis, after }, async () => {
    const answer = answers[seen.asked++]
    if (typeof answer === "string") return answer
    throw answer ?? new Error("no more tokens")
  })
  const timers: (() => void)[] = []
  const host = {
    after: (_ms: number, run: () => void) => {
      timers.push(run)
      return () => {}
    },
    fetch: async (url: string, init: RequestInit) => {
      seen.shown.push(new Headers(init.headers).get("authorization"))
      seen.urls.push(url)
      const status = statuses[seen.shown.length - 1] ?? 200
      const headers = {
        "headwater-edge": "1",
        "content-type": "application/json",
        "stream-next-offset": "0_0",
      }
      return new Response(url.includes("/ticket/") ? `{"ticket":"1.x"}` : "[]", { status, headers })
    },
  }
  const edge = new EdgeStream(host, "http://edge", "a/b" as StreamPath, tokens)
  const signal = new AbortController().signal
  return { seen, tokens, edge, timers, read: () => edge.read(START, signal), signal }
}

test("[CONN9] a token is asked for once, and again shortly before it ends", async () => {
  const end = 100_000
  const { seen, tokens } = world([token("a", end), token("b", 2 * end)])
  const [one, other] = await Promise.all([tokens.get(), tokens.get()])
  expect([one, other, await tokens.get(), seen.asked]).toEqual([token("a", end), one, one, 1])
  seen.time = end - LIMITS.tokenLeadMs - 1
  expect(await tokens.get()).toBe(one)
  seen.time++
  expect(await tokens.get()).toBe(token("b", 2 * end))
})

test("[CONN9] a token that does not say when it ends is asked for each time", async () => {
  const { seen, tokens } = world([token("a"), "no token of the usual kind", "x.!!!.y", token("b")])
  for (let n = 0; n < 4; n++) await tokens.get()
  expect(seen.asked).toBe(4)
})

test("[CONN9] a request that is refused is sent once more, with a new token", async () => {
  const [a, b] = [token("a", 1e6), token("b", 1e6)]
  const { seen, read } = world([a, b], [401, 200, 200])
  expect(await read()).toMatchObject({ kind: "done" })
  expect(await read()).toMatchObject({ kind: "done" })
  expect(seen.shown).toEqual([`Bearer ${a}`, `Bearer ${b}`, `Bearer ${b}`])
})

test("[CONN9] a new token that is refused too is a loss, which says so, and the next try asks anew", async () => {
  const { seen, read } = world(
    ["a", "b", "c"].map((name) => token(name, 1e6)),
    [401, 401, 200],
  )
  expect(await read()).toMatchObject({ kind: "failed", error: { code: "unauthorized" } })
  expect(seen.asked).toBe(2)
  expect(await read()).toMatchObject({ kind: "done" })
})

test("[CONN9] without a token nothing is sent, and the loss says why there is none", async () => {
  const { seen, read } = world([new Error("signed out")])
  const error = { code: "unauthorized", message: "No token could be had: signed out" }
  expect(await read()).toEqual({ kind: "failed", error, unreached: true })
  expect([seen.shown, seen.asked]).toEqual([[], 1])
})

test("[CONN9] an app that never answers is waited for as long as for an edge", async () => {
  const { timers, signal } = world([])
  const after = (_ms: number, run: () => void) => {
    timers.push(run)
    return () => {}
  }
  const never = new Tokens({ now: () => 0 as Millis, after: () => () => {} }, () => new Promise(() => {}))
  const stuck = new EdgeStream({ after, fetch }, "http://edge", "a/b" as StreamPath, never)
  const asked = stuck.read(START, signal)
  timers.at(-1)?.()
  expect(await asked).toMatchObject({ kind: "failed", error: { code: "unauthorized" } })
})

test("[CONN9] a question that the app leaves open is given up in time, and the next request asks anew", async () => {
  const answers: ((token: string) => void)[] = []
  const timers: { ms: number; run: () => void; stopped: boolean }[] = []
  const after = (ms: number, run: () => void) => {
    const timer = { ms, run, stopped: false }
    timers.push(timer)
    return () => {
      timer.stopped = true
    }
  }
  const ask = () => new Promise<string>((resolve) => void answers.push(resolve))
  const tokens = new Tokens({ now: () => 0 as Millis, after }, ask)
  const [first, second] = [tokens.get(), tokens.get()]
  expect([answers.length, timers.map(({ ms }) => ms)]).toEqual([1, [LIMITS.requestMsMax]])
  timers[0]!.run()
  await expect(first).rejects.toThrow("in time")
  await expect(second).rejects.toThrow("in time")

  const third = tokens.get()
  expect(answers).toHaveLength(2)
  answers[1]!(token("b", 1e6))
  expect(await third).toBe(token("b", 1e6))
  await vi.waitFor(() => expect(timers[1]!.stopped).toBe(true))
  answers[0]!(token("a", 2e6)) // late, and good for longer
  await vi.waitFor(async () => expect(await tokens.get()).toBe(token("a", 2e6)))
  expect(answers).toHaveLength(2)
})

test("[CONN9] a socket is opened with a ticket; without tokens with none, and no request", async () => {
  const { seen, edge, signal } = world([token("a", 1e6)])
  expect(await edge.socketProtocols(signal)).toEqual({ kind: "done", value: ["headwater.v1", "ticket.1.x"] })
  expect(seen.urls).toEqual(["http://edge/v1/ticket/a/b"])
  const open = new EdgeStream({ after: () => () => {}, fetch }, "http://edge", "a/b" as StreamPath)
  expect(await open.socketProtocols(signal)).toEqual({ kind: "done", value: ["headwater.v1"] })
})

test("[CONN9] a token whose socket was refused is not shown again", async () => {
  const { seen, edge, read, signal } = world([token("a", 1e6), token("b", 1e6)])
  await edge.socketProtocols(signal)
  edge.socketRefused()
  await read()
  expect(seen.shown).toEqual([`Bearer ${token("a", 1e6)}`, `Bearer ${token("b", 1e6)}`])
})

test("[CONN9] an absent stream that this account may not make is waited for", async () => {
  const { edge, signal } = world([token("a", 1e6)], [404])
  expect(await edge.create(signal)).toMatchObject({ kind: "failed", error: { code: "unauthorized" } })
})

test("[CONN9] what waits on a device that was offline for longer than its token goes out under a new one", async () => {
  const HOUR = 3_600_000
  const shown: [string, string | null][] = []
  let isOnline = true
  let asked = 0
  const made = oneStream({
    answer(url, init) {
      if (!isOnline) throw new TypeError("fetch failed")
      shown.push([new URL(url).pathname, new Headers(init.headers).get("authorization")])
      return new Response(url.includes("/ticket/") ? `{"ticket":"1.x"}` : "[]", { headers: EMPTY })
    },
    token: async () => token(String(asked++), made.seen.time + HOUR),
  })
  const { seen, sync, pass, live, append, appends } = made
  sync.input({ kind: "started" })
  await live()
  isOnline = false
  seen.sockets.at(-1)?.closed(1006)
  append(1, "x")
  for (let tries = 0; tries < 3; tries++) {
    pass(HOUR)
    await vi.waitFor(() => expect(sync.state.kind).toBe("waiting"))
    pass(1)
    await vi.waitFor(() => expect(sync.state.kind).toBe("waiting"))
  }
  expect([sync.lastError?.code, appends()]).toEqual(["unreachable", []])

  shown.splice(0)
  isOnline = true
  const online = live()
  pass(HOUR)
  pass(1)
  await online
  const fresh = `Bearer ${token(String(asked - 1), seen.time - 1 + HOUR)}`
  expect(shown).toEqual([
    ["/v1/stream/a/b", fresh],
    ["/v1/ticket/a/b", fresh],
  ])
  await vi.waitFor(() => expect(appends()).toHaveLength(1))
})
