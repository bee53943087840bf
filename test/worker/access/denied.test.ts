import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import app from "../../../worker/index.ts"
import { bearer, HOST, issuer, makeStream, request, seen, upgrade } from "./edge.ts"

const THERE = "acme/there"
const ABSENT = "acme/never"

const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"]

/** What only some rights are for, so that each has somebody who lacks it. */
const LACKING: Record<string, object> = {
  GET: { "**": ["append", "manage"] },
  HEAD: { "**": ["append", "manage"] },
  POST: { "**": ["read", "manage"] },
  PUT: { "**": ["read", "append"] },
  DELETE: { "**": ["read", "append"] },
  PATCH: { "**": ["read", "append"] },
  PROPFIND: { "**": ["read", "append"] },
}

function ask(path: string, method: string, token: string, query = ""): Promise<Response> {
  const body = method === "POST" || method === "PUT" ? `{"n":1}` : null
  return request(`/v1/stream/${path}${query}`, { method, headers: bearer(token), body })
}

test.each(METHODS)(
  "[ACCESS4] %s without the right is answered like for a stream that is absent",
  async (method) => {
    await makeStream(`${THERE}/${method}`, "[1]")
    const outsiders = [
      LACKING[method] ?? {},
      {},
      { acme: ["read", "append", "manage"] },
      { "acme/*": ["read"] },
    ]
    const reader = await issuer.token("ada", { "**": ["read", "append"] })
    const absent = await seen(await ask(ABSENT, method === "HEAD" ? "HEAD" : "GET", reader))
    for (const grants of outsiders) {
      const token = await issuer.token("eve", grants)
      for (const path of [`${THERE}/${method}`, ABSENT]) {
        expect(await seen(await ask(path, method, token))).toEqual(absent)
        expect(await seen(await ask(path, method, token, "?offset=-1&live=sse"))).toEqual(absent)
      }
    }
    const whole = await request(`/v1/stream/${THERE}/${method}`, {
      headers: bearer(await issuer.token("ada")),
    })
    expect(await whole.text()).toBe("[1]")
  },
)

test("[ACCESS4] whoever may append, and not manage, is told that an absent stream is absent", async () => {
  const token = await issuer.token("ada", { "**": ["append"] })
  const [appended, created] = [await ask(ABSENT, "POST", token), await ask(ABSENT, "PUT", token)]
  expect(await seen(appended)).toEqual(await seen(created))
  expect(appended.status).toBe(404)
})

test("[ACCESS4] tickets and revocations are absent for whoever may not have them", async () => {
  await makeStream("acme/tickets")
  const none = await issuer.token("eve", { "**": ["append", "manage"] })
  const [, reader] = [none, await issuer.token("ada", { "**": ["read"] })]
  const body = JSON.stringify({ principal: "ada" })
  const post = (address: string, token: string) =>
    request(address, { method: "POST", headers: bearer(token), body })
  const absent = await seen(await post(`/v1/ticket/${ABSENT}`, reader))
  expect(absent).toMatchObject({ status: 404 })
  expect(await seen(await post("/v1/ticket/acme/tickets", none))).toEqual(absent)
  expect(await seen(await post("/v1/revocation/acme/tickets", reader))).toEqual(absent)
  expect(await seen(await post(`/v1/revocation/${ABSENT}`, await issuer.token("maker")))).toEqual(absent)
})

test("[ACCESS4] whoever is refused costs the stream's object no call", async () => {
  const asked: string[] = []
  const watched = {
    getByName(name: string) {
      asked.push(name)
      return env.STREAMS.getByName(name)
    },
  }
  const at = { STREAMS: watched as unknown as typeof env.STREAMS, ...issuer.vars }
  const token = await issuer.token("eve", {})
  for (const headers of [{}, bearer(token), bearer("forged")] as Record<string, string>[]) {
    await app.fetch(new Request(`${HOST}/v1/stream/acme/there`, { headers }), at)
  }
  expect(asked).toEqual([])
})

test("[ACCESS4] a socket without the right to read is closed with the code of a stream that is absent", async () => {
  await makeStream("acme/sockets")
  const token = await issuer.token("eve", { "**": ["append", "manage"] })
  const reader = await issuer.token("ada", { "**": ["read"] })
  const closes = await Promise.all([
    closeOf(await upgrade("acme/sockets", { token })),
    closeOf(await upgrade(ABSENT, { token })),
    closeOf(await upgrade(ABSENT, { token: reader })),
  ])
  expect(closes).toEqual(
    Array.from({ length: 3 }, () => ({ code: 4404, reason: "There is no such stream." })),
  )
})

function closeOf({ webSocket }: Response): Promise<{ code: number; reason: string }> {
  return new Promise((resolve) => {
    webSocket?.addEventListener("close", ({ code, reason }) => resolve({ code, reason }))
    webSocket?.accept()
  })
}

test("[ACCESS4] a request that calls itself a socket gets nothing else by it", async () => {
  await makeStream("acme/disguised", "[1]")
  const headers = { upgrade: "websocket", "sec-websocket-protocol": "headwater.v1" }
  const ask = (query: string, method = "GET") =>
    request(`/v1/stream/acme/disguised?${query}`, { method, headers })
  for (const query of ["segments=true", "offset=-1", "offset=-1&live=sse", "offset=-1&live=sse&live=ws"])
    expect((await ask(query)).status).toBe(401)
  for (const method of ["HEAD", "PUT", "POST", "DELETE"])
    expect((await ask("offset=-1&live=ws", method)).status).toBe(401)
  expect((await ask("live=ws&segments=true")).status).toBe(400)
  for (const query of ["offset=-1&live=ws&segments=true", "offset=-1&live=ws&live=sse", "offset=-1&live=ws"])
    expect((await closeOf(await ask(query))).code).toBe(4401)
})

test("[ACCESS5] answers are for their caller's cache only, and pages differ by token", async () => {
  await makeStream("acme/cached", "[1]")
  const answer = await ask("acme/cached", "GET", await issuer.token("ada"))
  expect(answer.headers.get("cache-control")).toBe("private, no-cache")
  expect(answer.headers.get("vary")).toMatch(/Authorization/)
})

test("[ACCESS6] the source of an event is its principal's, over every way into a stream", async () => {
  const path = "acme/sources"
  const token = await issuer.token("ada")
  const event = (source: unknown) => JSON.stringify({ id: "1", type: "t", source })
  const put = await request(`/v1/stream/${path}`, {
    method: "PUT",
    headers: bearer(token),
    body: event("eve"),
  })
  expect(put.status).toBe(403)
  await makeStream(path)
  const post = async (body: string) => {
    const answer = await request(`/v1/stream/${path}`, { method: "POST", headers: bearer(token), body })
    return [answer.status, answer.headers.get("producer-epoch")]
  }
  const taken = [
    event("ada"),
    event("ada/phone"),
    event(undefined),
    `{"source":"eve"}`,
    `{"id":1,"type":"t","source":"eve"}`,
    "1",
  ]
  for (const body of taken) expect(await post(body)).toEqual([204, null])
  for (const source of ["eve", "adam", "ada2/phone", "", "ADA", null, 1, ["ada"], "/ada"])
    expect(await post(event(source))).toEqual([403, null])
  expect(await post(`[${event("ada")},${event("eve")}]`)).toEqual([403, null])
  const kept = await request(`/v1/stream/${path}`, { headers: bearer(token) })
  expect(await kept.json()).toHaveLength(taken.length)
})

test("[METER5] a meter is absent for whoever may not manage the stream", async () => {
  await makeStream("acme/metered")
  const ask = async (path: string, grants: object) =>
    request(`/v1/meter/${path}`, { headers: bearer(await issuer.token("ada", grants)) })
  const absent = await seen(await ask(ABSENT, { "**": ["manage"] }))
  expect(absent).toMatchObject({ status: 404 })
  expect(await seen(await ask("acme/metered", { "**": ["read", "append"] }))).toEqual(absent)
  expect((await ask("acme/metered", { "acme/*": ["manage"] })).status).toBe(200)
  expect((await request("/v1/meter/acme/metered")).status).toBe(401)
})

test("[LIMIT6] streams are counted for the principal of the token that makes them", async () => {
  const vars = { ...issuer.vars, STREAMS_PER_PRINCIPAL_MAX: "0" }
  const headers = bearer(await issuer.token("counted"))
  const put = (path: string, from: Record<string, string>) =>
    request(`/v1/stream/${path}`, { method: "PUT", headers, body: "[]" }, from)
  expect((await put("acme/counted", issuer.vars)).status).toBe(201)
  expect((await put("acme/uncounted", vars)).status).toBe(201)
  const principal = env.PRINCIPALS.getByName("counted")
  expect(await principal.admit("counted", "acme/counted")).toMatchObject({ kind: "known" })
  expect(await principal.admit("counted", "acme/uncounted")).toMatchObject({ kind: "counted" })
})
