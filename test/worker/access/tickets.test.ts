import { evictDurableObject, runInDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { CLOSE } from "../../../shared/frames.ts"
import { LIMITS } from "../../../shared/limits.ts"
import { newStream, objectOf } from "../edge-client.ts"
import { bearer, issuer, makeStream, openSocket, request, ticketFor, upgrade } from "./edge.ts"

async function heard(path: string, opening: Parameters<typeof openSocket>[1]) {
  return (await openSocket(path, opening)).next()
}

const REFUSED = { t: "close", code: CLOSE.unauthorized }

async function stream(): Promise<string> {
  const path = newStream()
  await makeStream(path, "[1]")
  return path
}

test("[ACCESS3] a ticket opens one socket, which may do what its token may; the edge never repeats it", async () => {
  const path = await stream()
  const token = await issuer.token("ada")
  const answer = await request(`/v1/ticket/${path}`, { method: "POST", headers: bearer(token) })
  expect(answer.status).toBe(201)
  const { ticket, expiresAt } = (await answer.json()) as { ticket: string; expiresAt: string }
  expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(LIMITS.ticketMsMax)
  expect(Date.parse(expiresAt) - Date.now()).toBeGreaterThan(LIMITS.ticketMsMax - 10_000)
  const opened = await upgrade(path, { ticket })
  expect(opened.headers.get("sec-websocket-protocol")).toBe("headwater.v1")
  opened.webSocket?.accept()
  expect(await heard(path, { ticket })).toMatchObject(REFUSED)
  const socket = await openSocket(path, { ticket: await ticketFor(path, token) })
  expect(await socket.next()).toMatchObject({ t: "data", body: "1" })
  expect(await socket.append({ id: 1, body: "2" })).toMatchObject([{ t: "reply", status: 204 }])
})

test("[ACCESS3] whoever can set headers needs no ticket", async () => {
  const path = await stream()
  expect(await heard(path, { token: await issuer.token("ada") })).toMatchObject({ t: "data", body: "1" })
})

test("[ACCESS3] a socket whose token only reads is answered like a stream that is absent when it appends", async () => {
  const path = await stream()
  const token = await issuer.token("ada", { "**": ["read"] })
  for (const opening of [{ token }, { ticket: await ticketFor(path, token) }]) {
    const socket = await openSocket(path, opening)
    await socket.next()
    const [reply] = await socket.append({ id: 1, body: "2" })
    expect(reply).toEqual({
      t: "reply",
      id: 1,
      status: 404,
      headers: {},
      message: "There is no such stream.",
    })
  }
})

test("[ACCESS3] a ticket outlives the object's memory, before its use and after", async () => {
  const path = await stream()
  const ticket = await ticketFor(path, await issuer.token("ada"))
  await evictDurableObject(objectOf(path))
  expect(await heard(path, { ticket })).toMatchObject({ t: "data", body: "1" })
  await evictDurableObject(objectOf(path))
  expect(await heard(path, { ticket })).toMatchObject(REFUSED)
})

test("[ACCESS3] a ticket is for its stream and its principal", async () => {
  const [path, other] = [await stream(), await stream()]
  const [ada, eve] = [await issuer.token("ada"), await issuer.token("eve")]
  await ticketFor(other, eve) // so that the number of the next one is known there
  expect(await heard(other, { ticket: await ticketFor(path, ada) })).toMatchObject(REFUSED)
  expect(await heard(path, { ticket: await ticketFor(path, ada), token: eve })).toMatchObject(REFUSED)
  expect(await heard(path, { ticket: await ticketFor(path, ada), token: ada })).toMatchObject({ t: "data" })
  expect(await heard(path, { ticket: await ticketFor(path, ada), token: "forged" })).toMatchObject(REFUSED)
})

test("[ACCESS3] of twenty who show the same ticket at once, one gets in", async () => {
  const path = await stream()
  const ticket = await ticketFor(path, await issuer.token("ada"))
  const all = await Promise.all(Array.from({ length: 20 }, () => heard(path, { ticket })))
  expect(all.filter(({ t }) => t === "data")).toHaveLength(1)
  expect(all.filter(({ t }) => t === "close")).toHaveLength(19)
})

test("[ACCESS3] a late ticket is refused, and forgotten with the next that is issued", async () => {
  const path = await stream()
  const token = await issuer.token("ada")
  const [late, unused] = [await ticketFor(path, token), await ticketFor(path, token)]
  await age(path)
  expect(await heard(path, { ticket: late })).toMatchObject(REFUSED)
  expect(await ticketsOf(path)).toBe(1)
  await ticketFor(path, token)
  expect(await ticketsOf(path)).toBe(1)
  expect(await heard(path, { ticket: unused })).toMatchObject(REFUSED)
})

function age(path: string): Promise<unknown> {
  return runInDurableObject(objectOf(path), (_, { storage }) =>
    storage.sql.exec("UPDATE tickets SET expires_at = ?", Date.now()).toArray(),
  )
}

function ticketsOf(path: string): Promise<number> {
  return runInDurableObject(objectOf(path), (_, { storage }) =>
    Number(storage.sql.exec("SELECT COUNT(*) AS count FROM tickets").one().count),
  )
}

const WRONG = ["", "1", "1.", ".x", "1.AAAA", "0.AAAA", "1e3.A", "9999999999999999.A", "x".repeat(5_000)]

test.each(WRONG)("[ACCESS3] the ticket %j opens a socket that is closed at once", async (ticket) => {
  const path = await stream()
  await ticketFor(path, await issuer.token("ada"))
  expect(await heard(path, { ticket })).toMatchObject(REFUSED)
})

test("[ACCESS3] neither ticket nor token, or a token that is none, closes the socket with its code", async () => {
  const path = await stream()
  expect(await heard(path, {})).toMatchObject(REFUSED)
  expect(await heard(path, { token: "forged" })).toMatchObject(REFUSED)
})

test("[ACCESS3] a ticket costs a row to issue and a row to use", async () => {
  const path = await stream()
  const token = await issuer.token("ada", { "**": ["read"] }, { exp: Math.floor(Date.now() / 1000) + 300 })
  await heard(path, { ticket: await ticketFor(path, token) }) // makes the table, and sets the alarm
  const written = await rowsWritten(path, async () => {
    await heard(path, { ticket: await ticketFor(path, token) })
  })
  expect(written).toBe(2)
})

async function rowsWritten(path: string, work: () => Promise<void>): Promise<number> {
  let written = 0
  await runInDurableObject(objectOf(path), (_, { storage: { sql } }) => {
    const exec = sql.exec
    sql.exec = ((...args: Parameters<typeof exec>) => {
      const cursor = exec.apply(sql, args)
      const rows = [...cursor]
      written += cursor.rowsWritten
      return rows
    }) as unknown as typeof exec // the object only iterates what it gets
  })
  await work()
  return written
}
