import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { expect, test, vi } from "vitest"
import { CLOSE } from "../../../shared/frames.ts"
import { LIMITS } from "../../../shared/limits.ts"
import { seconds } from "../../support/issuer.ts"
import { newStream, objectOf } from "../edge-client.ts"
import { bearer, issuer, makeStream, openSocket, request, ticketFor } from "./edge.ts"

const ENDED = { t: "close", code: CLOSE.unauthorized }
const MANAGER = await issuer.token("maker")

/** A token that the edge takes for a second or two more: its `exp` is over, and the tolerance nearly. */
function shortToken(sub: string, left = 2): Promise<string> {
  return issuer.token(sub, undefined, { exp: seconds() + left - LIMITS.clockToleranceMs / 1000 })
}

async function stream(): Promise<string> {
  const path = newStream()
  await makeStream(path)
  return path
}

function revoke(path: string, revocation: unknown, token = MANAGER): Promise<Response> {
  const body = typeof revocation === "string" ? revocation : JSON.stringify(revocation)
  return request(`/v1/revocation/${path}`, { method: "POST", headers: bearer(token), body })
}

function append(path: string, body: string): Promise<Response> {
  return request(`/v1/stream/${path}`, { method: "POST", headers: bearer(MANAGER), body })
}

async function statusFor(path: string, token: string, query = ""): Promise<number> {
  return (await request(`/v1/stream/${path}${query}`, { headers: bearer(token) })).status
}

function socketsOf(path: string): Promise<number> {
  return runInDurableObject(objectOf(path), (_, state) => state.getWebSockets().length)
}

test.each([false, true])(
  "[ACCESS7] an idle socket is closed when its token ends, and no other is (out of memory: %s)",
  async (evicts) => {
    const path = await stream()
    const [lasting, short, ticketed] = await Promise.all([
      openSocket(path, { token: await issuer.token("ada") }),
      openSocket(path, { token: await shortToken("bob") }),
      openSocket(path, { ticket: await ticketFor(path, await shortToken("cleo")) }),
    ])
    for (const socket of [lasting, short, ticketed])
      expect(await socket.next()).toMatchObject({ t: "control" })
    if (evicts) await evictDurableObject(objectOf(path))
    expect(await short.next()).toMatchObject(ENDED)
    expect(await ticketed.next()).toMatchObject(ENDED)
    await append(path, "1")
    expect(await lasting.next()).toMatchObject({ t: "data", body: "1" })
  },
)

test("[ACCESS7] the alarm that ends tokens and the one that ends streams are one, and both ring", async () => {
  const path = newStream()
  const headers = { ...bearer(MANAGER), "stream-ttl": "3600" }
  expect((await request(`/v1/stream/${path}`, { method: "PUT", headers })).status).toBe(201)
  const alarmOf = () => runInDurableObject(objectOf(path), (_, { storage }) => storage.getAlarm())
  await vi.waitFor(async () => expect(await alarmOf()).toBeGreaterThan(Date.now() + 60_000)) // it is listed by now
  const atEnd = await alarmOf()
  const socket = await openSocket(path, { token: await shortToken("ada") })
  await socket.next()
  expect(await alarmOf()).toBeLessThan(atEnd ?? 0)
  expect(await socket.next()).toMatchObject(ENDED)
  await vi.waitFor(async () => expect(await alarmOf()).toBeGreaterThan(Date.now() + 3_500_000))
})

test("[ACCESS7] a frame that comes after the end of its token is not taken, though no alarm has rung", async () => {
  const path = await stream()
  const exp = seconds() + 1 - LIMITS.clockToleranceMs / 1000
  const socket = await openSocket(path, { token: await issuer.token("ada", undefined, { exp }) })
  await socket.next()
  await runInDurableObject(objectOf(path), (_, { storage }) => storage.deleteAlarm())
  await vi.waitFor(() => expect(Date.now()).toBeGreaterThan(exp * 1000 + LIMITS.clockToleranceMs), 5_000)
  expect(await socket.append({ id: 1, body: "1" })).toMatchObject([ENDED])
  const log = await request(`/v1/stream/${path}`, { headers: bearer(MANAGER) })
  expect(await log.text()).toBe("[]")
})

test("[ACCESS7] server-sent events end with their token", async () => {
  const path = await stream()
  const token = await shortToken("ada", 3)
  const events = await request(`/v1/stream/${path}?offset=now&live=sse`, { headers: bearer(token) })
  expect(events.status).toBe(200)
  const text = await events.text() // it ends, and a minute is far
  expect(text).toContain(`"upToDate":true`)
  expect(await statusFor(path, token)).toBe(401)
})

test("[ACCESS8] a revoked principal's sockets are closed, and its tokens count no more in this stream", async () => {
  const [path, other] = [await stream(), await stream()]
  const [ada, bob] = [await issuer.token("ada"), await issuer.token("bob")]
  const ticket = await ticketFor(path, ada)
  const [mine, his, elsewhere] = await Promise.all([
    openSocket(path, { token: ada }),
    openSocket(path, { token: bob }),
    openSocket(other, { token: ada }),
  ])
  for (const socket of [mine, his, elsewhere]) await socket.next()
  await evictDurableObject(objectOf(path))
  const answer = await revoke(path, { principal: "ada" })
  expect([answer.status, await answer.text()]).toEqual([204, ""])
  expect(await mine.next()).toMatchObject(ENDED)
  await evictDurableObject(objectOf(path))
  for (const query of ["", "?offset=-1", "?offset=now&live=sse", "?offset=now&live=long-poll"])
    expect(await statusFor(path, ada, query)).toBe(404)
  for (const method of ["HEAD", "POST", "PUT", "DELETE"]) {
    const init = { method, headers: bearer(ada), body: method === "POST" ? "1" : null }
    expect((await request(`/v1/stream/${path}`, init)).status).toBe(404)
  }
  expect((await request(`/v1/ticket/${path}`, { method: "POST", headers: bearer(ada) })).status).toBe(404)
  expect(await (await openSocket(path, { token: ada })).next()).toMatchObject(ENDED)
  expect(await (await openSocket(path, { ticket })).next()).toMatchObject(ENDED)
  expect([await statusFor(path, bob), await statusFor(other, ada)]).toEqual([200, 200])
  await append(path, "1")
  expect(await his.next()).toMatchObject({ t: "data", body: "1" })
})

test("[ACCESS8] a token that was issued after the revocation counts, one without a time of issue never", async () => {
  const path = await stream()
  await revoke(path, { principal: "ada" })
  const later = await issuer.token("ada", undefined, { iat: seconds() + 5 })
  const timeless = await issuer.token("ada", undefined, { iat: undefined as unknown as number })
  expect([await statusFor(path, later), await statusFor(path, timeless)]).toEqual([200, 404])
})

test("[ACCESS8] one token can be revoked by its jti, and the principal goes on with another", async () => {
  const path = await stream()
  const [first, second] = await Promise.all([
    issuer.token("ada", undefined, { jti: "first" }),
    issuer.token("ada", undefined, { jti: "second" }),
  ])
  const sockets = await Promise.all([openSocket(path, { token: first }), openSocket(path, { token: second })])
  for (const socket of sockets) await socket.next()
  await revoke(path, { token: "first" })
  expect(await sockets[0]!.next()).toMatchObject(ENDED)
  expect([await statusFor(path, first), await statusFor(path, second)]).toEqual([404, 200])
  await append(path, "1")
  expect(await sockets[1]!.next()).toMatchObject({ t: "data", body: "1" })
})

test("[ACCESS8] revocation ends server-sent events and long-polls, and outlives the stream", async () => {
  const path = await stream()
  const ada = await issuer.token("ada")
  const events = await request(`/v1/stream/${path}?offset=now&live=sse`, { headers: bearer(ada) })
  const poll = request(`/v1/stream/${path}?offset=now&live=long-poll`, { headers: bearer(ada) })
  const text = events.text()
  await vi.waitFor(async () => expect(await socketsOf(path)).toBe(2))
  await revoke(path, { principal: "ada" })
  expect(await text).toContain(`"upToDate":true`)
  expect((await poll).status).toBe(204)
  await request(`/v1/stream/${path}`, { method: "DELETE", headers: bearer(MANAGER) })
  await makeStream(path)
  expect([await statusFor(path, ada), await statusFor(path, MANAGER)]).toEqual([404, 200])
})

test.each([
  "",
  "{",
  "[]",
  "{}",
  `{"principal":1}`,
  `{"principal":""}`,
  `{"principal":"a","token":"b"}`,
  `{"sub":"a"}`,
])("[ACCESS8] %j is no revocation", async (body) => {
  const answer = await revoke(await stream(), body)
  expect([answer.status, await answer.json()]).toEqual([
    400,
    { message: expect.stringMatching(/^A revocation is/) },
  ])
})
