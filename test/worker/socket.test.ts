import { runInDurableObject } from "cloudflare:test"
import { expect, test } from "vitest"
import { CLOSE, encodeAppendFrame } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import {
  append,
  ask,
  create,
  EdgeSocket,
  newStream,
  objectOf,
  offsetAfter,
  producer,
  upgrade,
} from "./edge-client.ts"

async function tailOf(path: string): Promise<string> {
  const head = await ask(path, { method: "HEAD" })
  return head.headers.get("stream-next-offset")!
}

test("[WS4] a new socket is sent what it lacks, then every append as it comes", async () => {
  const path = newStream()
  await create(path, "application/json", { body: `[{"n":1.0},{"n":2}]` })
  const socket = await EdgeSocket.open(path, "-1")
  const tail = await tailOf(path)
  const first = await socket.next()
  expect(first).toMatchObject({
    t: "data",
    next: tail,
    upToDate: true,
    closed: false,
    body: `{"n":1.0},{"n":2}`,
  })
  await append(path, `{"n":3}`)
  expect(await socket.next()).toMatchObject({
    t: "data",
    from: tail,
    next: await tailOf(path),
    body: `{"n":3}`,
  })
})

test("[WS4] a socket that lacks nothing is told where the tail is", async () => {
  const path = newStream()
  await create(path, "application/json", { body: "[1,2]" })
  const socket = await EdgeSocket.open(path, "now")
  expect(await socket.next()).toEqual({
    t: "control",
    next: await tailOf(path),
    upToDate: true,
    closed: false,
  })
})

test("[WS4] a socket may begin inside a batch", async () => {
  const path = newStream()
  await create(path)
  const before = await tailOf(path)
  await append(path, `["a,]",{"b":[1,2]},3]`)
  const inside = offsetAfter(before, `"a,]"`)
  const socket = await EdgeSocket.open(path, inside)
  expect(await socket.next()).toMatchObject({ t: "data", from: inside, body: `{"b":[1,2]},3` })
})

test("[WS5] bytes come in binary frames, as they were appended", async () => {
  const path = newStream()
  const bytes = new Uint8Array([0, 10, 13, 255, 34])
  await create(path, "application/octet-stream", { body: bytes })
  const socket = await EdgeSocket.open(path, "-1")
  expect(await socket.next()).toMatchObject({ t: "data", body: bytes })
  const [reply] = await socket.append({ id: 1, body: new Uint8Array([10, 10]) })
  expect(reply).toMatchObject({ t: "reply", status: 204 })
  expect(new Uint8Array(await (await ask(path)).arrayBuffer())).toEqual(new Uint8Array([...bytes, 10, 10]))
})

test("[WS6] the reply stands for the data of one's own append; others get the data", async () => {
  const path = newStream()
  await create(path)
  const [writer, reader] = await Promise.all([EdgeSocket.open(path, "-1"), EdgeSocket.open(path, "-1")])
  const start = await tailOf(path)
  await Promise.all([writer.next(), reader.next()])
  const heard = await writer.append({ id: 7, producer: "p", epoch: 0, seq: 0, body: `{"a":1},{"a":2}` })
  const tail = await tailOf(path)
  const mark = { "producer-epoch": "0", "producer-seq": "0" }
  const headers = { "stream-from-offset": start, "stream-next-offset": tail, ...mark }
  expect(heard).toEqual([{ t: "reply", id: 7, status: 200, headers, from: start }])
  expect(await reader.next()).toMatchObject({ t: "data", from: start, next: tail, body: `{"a":1},{"a":2}` })
  await append(path, "3")
  expect(await writer.next()).toMatchObject({ t: "data", from: tail, body: "3" })
})

test("[WS7] a duplicate is answered like over HTTP and moves no reader", async () => {
  const path = newStream()
  await create(path)
  const start = await tailOf(path)
  const socket = await EdgeSocket.open(path, "-1")
  await socket.next()
  await socket.append({ id: 1, producer: "p", epoch: 0, seq: 0, body: "1" })
  const tail = await tailOf(path)
  const [reply] = await socket.append({ id: 2, producer: "p", epoch: 0, seq: 0, body: "1" })
  const mark = { "producer-epoch": "0", "producer-seq": "0" }
  const headers = { "stream-from-offset": start, "stream-next-offset": tail, ...mark }
  expect(reply).toEqual({ t: "reply", id: 2, status: 204, headers })
  expect(await tailOf(path)).toBe(tail)
})

test("[WS7] gaps, fenced epochs and bad starts are refused with the headers of HTTP", async () => {
  const path = newStream()
  await create(path)
  await append(path, "0", producer("p", 3, 0))
  const socket = await EdgeSocket.open(path, "now")
  await socket.next()
  const [gap] = await socket.append({ id: 1, producer: "p", epoch: 3, seq: 5, body: "1" })
  expect(gap).toMatchObject({
    status: 409,
    headers: { "producer-expected-seq": "1", "producer-received-seq": "5" },
  })
  const [fenced] = await socket.append({ id: 2, producer: "p", epoch: 2, seq: 1, body: "1" })
  expect(fenced).toMatchObject({
    status: 403,
    headers: { "producer-epoch": "3", "producer-conflict": "true" },
  })
  const [badStart] = await socket.append({ id: 3, producer: "p", epoch: 4, seq: 1, body: "1" })
  expect(badStart).toMatchObject({ status: 400 })
})

test("[WS3] a frame of a socket that was told to go is not taken", async () => {
  const path = newStream()
  await create(path)
  const socket = await EdgeSocket.open(path, "-1")
  await socket.next()
  socket.send("no frame")
  socket.send(String(encodeAppendFrame({ t: "append", id: 1, body: "1" })))
  expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.malformed })
  await append(path, "2")
  expect(await (await ask(path)).text()).toBe("[2]")
})

test("[WS3] an append that the storage does not take is answered 503, and the socket goes on", async () => {
  const path = newStream()
  await create(path)
  const socket = await EdgeSocket.open(path, "-1")
  await socket.next()
  const restore = await runInDurableObject(objectOf(path), (_, { storage }) => {
    const transact = storage.transactionSync
    storage.transactionSync = () => {
      throw new Error("database or disk is full: SQLITE_FULL")
    }
    return () => {
      storage.transactionSync = transact
    }
  })
  expect(await socket.append({ id: 1, body: "1" })).toMatchObject([{ t: "reply", status: 503 }])
  await runInDurableObject(objectOf(path), () => restore())
  expect(await socket.append({ id: 2, body: "2" })).toMatchObject([{ t: "reply", status: 204 }])
  expect(await (await ask(path)).text()).toBe("[2]")
})

test("[WS8] a reader too far behind is sent away to GET", async () => {
  const path = newStream()
  await create(path)
  const start = await tailOf(path)
  const large = JSON.stringify("x".repeat(LIMITS.socketCatchUpBytesMax / 2))
  for (let i = 0; i < 3; i++) await append(path, large)
  const socket = await EdgeSocket.open(path, start)
  expect(await socket.next()).toEqual({ t: "behind", next: start })
  expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.behind })
})

test("[WS9] the end of a stream is told, and then the socket closes", async () => {
  const path = newStream()
  await create(path)
  const [writer, reader] = await Promise.all([EdgeSocket.open(path, "now"), EdgeSocket.open(path, "now")])
  await Promise.all([writer.next(), reader.next()])
  const [reply] = await writer.append({ id: 1, close: true, body: `"last"` })
  expect(reply).toMatchObject({ status: 204, headers: { "stream-closed": "true" } })
  expect(await writer.next()).toMatchObject({ t: "close", code: CLOSE.done })
  expect(await reader.next()).toMatchObject({ t: "data", closed: true, body: `"last"` })
  expect(await reader.next()).toMatchObject({ t: "close", code: CLOSE.done })
  const late = await EdgeSocket.open(path, "now")
  expect(await late.next()).toMatchObject({ t: "control", closed: true })
  expect(await late.next()).toMatchObject({ t: "close", code: CLOSE.done })
})

test("[WS9] closing without data is told to everybody, the closer included", async () => {
  const path = newStream()
  await create(path)
  const [writer, reader] = await Promise.all([EdgeSocket.open(path, "now"), EdgeSocket.open(path, "now")])
  await Promise.all([writer.next(), reader.next()])
  const tail = await tailOf(path)
  const [reply] = await writer.append({ id: 1, close: true, body: "" })
  expect(reply).toEqual({
    t: "reply",
    id: 1,
    status: 204,
    headers: { "stream-next-offset": tail, "stream-closed": "true" },
  })
  for (const socket of [writer, reader]) {
    expect(await socket.next()).toEqual({ t: "control", next: tail, upToDate: true, closed: true })
    expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.done })
  }
})

test("[WS10] a missing stream, a foreign offset and a deletion close with their codes", async () => {
  const missing = await EdgeSocket.open(newStream(), "-1")
  expect(await missing.next()).toMatchObject({ t: "close", code: CLOSE.missing })
  const path = newStream()
  await create(path, "application/json", { body: "[1]" })
  const tail = await tailOf(path)
  const beyond = await EdgeSocket.open(path, tail.replace(/.$/, "9"))
  expect(await beyond.next()).toMatchObject({ t: "close", code: CLOSE.gone })
  const open = await EdgeSocket.open(path, tail)
  await open.next()
  await ask(path, { method: "DELETE" })
  expect(await open.next()).toMatchObject({ t: "close", code: CLOSE.gone })
  await create(path)
  const stale = await EdgeSocket.open(path, tail)
  expect(await stale.next()).toMatchObject({ t: "close", code: CLOSE.gone })
})

test("[WS1] an upgrade that no client of ours would send is answered by HTTP", async () => {
  const path = newStream()
  await create(path)
  expect((await ask(`${path}?live=ws&offset=-1`)).status).toBe(426)
  expect((await upgrade(path, "nonsense")).status).toBe(400)
  expect((await upgrade(path, "-1", { "sec-websocket-protocol": "other" })).status).toBe(400)
  const offered = await upgrade(path, "-1", { "sec-websocket-protocol": "headwater.v1, ticket.abc" })
  expect(offered.headers.get("sec-websocket-protocol")).toBe("headwater.v1")
})

const NOBODY_TO_ANSWER = [
  "",
  "no header",
  "{}",
  "[]",
  `{"t":"append"}`,
  `{"t":"append","id":-1}`,
  `{"t":"data","id":1}\n1`,
]

test.each(NOBODY_TO_ANSWER)(
  "[WS3] the frame %j has nobody to answer and closes the socket",
  async (frame: string) => {
    const path = newStream()
    await create(path)
    const socket = await EdgeSocket.open(path, "now")
    await socket.next()
    socket.send(frame)
    expect(await socket.next()).toMatchObject({ t: "close", code: CLOSE.malformed })
    expect(await (await ask(path)).text()).toBe("[]")
  },
)

const REFUSED = [
  `"producer":"p"\n1`,
  `"producer":"","epoch":0,"seq":0\n1`,
  `"producer":"p","epoch":"0","seq":0\n1`,
  `"producer":"p","epoch":0,"seq":1.5\n1`,
  `"producer":"p","epoch":-1,"seq":0\n1`,
  `"streamSeq":5\n1`,
  `"contentType":true\n1`,
  `"close":"true"\n`,
  `"x":1\n`,
  `"x":1\n{`,
  `"x":1\n1],[2`,
  `"x":1\n${"[".repeat(LIMITS.jsonDepthMax + 1)}${"]".repeat(LIMITS.jsonDepthMax + 1)}`,
]

test.each(REFUSED)(
  "[WS3] an append frame with %j is answered 400 and stores nothing",
  async (rest: string) => {
    const path = newStream()
    await create(path)
    const socket = await EdgeSocket.open(path, "now")
    await socket.next()
    const [line, ...body] = rest.split("\n")
    socket.send(`{"t":"append","id":4,${line}}\n${body.join("\n")}`)
    expect(await socket.next()).toMatchObject({ t: "reply", id: 4, status: 400, message: expect.any(String) })
    expect(await (await ask(path)).text()).toBe("[]")
  },
)

test("[WS3] an append frame beyond the limit is answered 413", async () => {
  const path = newStream()
  await create(path, "application/octet-stream")
  const socket = await EdgeSocket.open(path, "now")
  await socket.next()
  const [largest] = await socket.append({ id: 1, body: new Uint8Array(LIMITS.appendBytesMax) })
  expect(largest).toMatchObject({ status: 204 })
  const [larger] = await socket.append({ id: 2, body: new Uint8Array(LIMITS.appendBytesMax + 1) })
  expect(larger).toMatchObject({ status: 413 })
})

test("[WS2] ping is answered without a word to the stream", async () => {
  const path = newStream()
  await create(path)
  const socket = await EdgeSocket.open(path, "now")
  await socket.next()
  socket.send("ping")
  expect(await socket.next()).toEqual({ t: "pong" })
})
