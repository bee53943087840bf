import { expect, test, vi } from "vitest"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import type { ProducerId } from "../../shared/ids.ts"
import { START } from "../../shared/offset.ts"
import { firstPosition, type OutboxKey, type ProducerPosition } from "../../shared/outbox.ts"
import { headerOf, textOf, world } from "./one-stream.ts"

const device = "device" as ProducerId

/** A live client that has sent its first event, `x`. */
async function sent(position?: ProducerPosition) {
  const made = world(position === undefined ? {} : { position })
  made.append(1, "x")
  made.sync.input({ kind: "started" })
  await made.live()
  await vi.waitFor(() => expect(made.appends()).toHaveLength(1))
  return made
}

const reply = (status: number, headers: object, message?: string) => ({
  t: "reply",
  id: 0,
  status,
  headers,
  message,
})

test("[OUT5] a leadership begins an epoch of its own, and counts from 0 in it", async () => {
  const { appends, told, append } = await sent({ ...firstPosition(device), epoch: 7, nextSeq: 3 })
  expect(headerOf(appends()[0])).toMatchObject({ producer: "device", epoch: 8, seq: 0 })
  told({ ...reply(200, { "stream-next-offset": "0001" }), from: START })
  append(2, "y")
  await vi.waitFor(() => expect(appends()).toHaveLength(2))
  expect(headerOf(appends()[1])).toMatchObject({ producer: "device", epoch: 8, seq: 1 })
})

test("[OUT5] a batch in flight from before keeps its number, and the next one begins an epoch", async () => {
  const inFlight = { producer: device, epoch: 7, seq: 2, keys: [1 as OutboxKey] }
  const position = { ...firstPosition(device), epoch: 7, nextSeq: 3, inFlight }
  const { appends, told, append } = await sent(position)
  expect(headerOf(appends()[0])).toMatchObject({ producer: "device", epoch: 7, seq: 2 })
  told({ ...reply(200, { "stream-next-offset": "0001" }), id: 2, from: START })
  append(2, "y")
  await vi.waitFor(() => expect(appends()).toHaveLength(2))
  expect(headerOf(appends()[1])).toMatchObject({ producer: "device", epoch: 8, seq: 0 })
})

test.each([
  ["a duplicate of other messages", 204, { "producer-conflict": "true", "stream-next-offset": START }],
  ["a duplicate whose place is not told", 204, {}],
  ["a duplicate at a place that was read and does not hold it", 204, { "stream-next-offset": START }],
  ["fenced off", 403, { "producer-conflict": "true", "producer-epoch": "9" }],
  ["beyond a gap", 409, { "producer-conflict": "true", "producer-expected-seq": "0" }],
  ["too far ahead", 400, { "producer-conflict": "true" }],
])("[OUT4] a batch that is %s goes under a fresh producer", async (_, status, headers) => {
  const { appends, told, sync } = await sent()
  told(reply(status, headers))
  await vi.waitFor(() => expect(appends()).toHaveLength(2))
  expect(headerOf(appends()[1])).toMatchObject({ producer: "fresh-2", epoch: 0, seq: 0 })
  expect(appends()[1]).toContain(textOf("x"))
  expect(sync.state.kind).toBe("live")
})

test("[OUT4] a duplicate that stands where nobody has read yet is read back, not sent anew", async () => {
  const { told, sync, seen, pass, live, appends } = await sent()
  told(reply(204, { "stream-from-offset": START, "stream-next-offset": "0001" }))
  expect(sync.state.kind).toBe("waiting")
  pass(0)
  await live()
  expect(headerOf(appends()[1])).toEqual(headerOf(appends()[0]))
  seen.sockets.at(-1)?.frame(`{"t":"data","from":"${START}","next":"0001","upToDate":true}\n${textOf("x")}`)
  expect(sync.lastError).toBeUndefined()
})

/** A live client that has sent `x` and `y` in one batch, of which another device has appended `x` before. */
async function halfForeign() {
  const made = world()
  made.append(1, "x")
  made.append(2, "y")
  made.sync.input({ kind: "started" })
  await made.live()
  await vi.waitFor(() => expect(made.appends()).toHaveLength(1))
  made.seen.sockets
    .at(-1)
    ?.frame(`{"t":"data","from":"${START}","next":"0001","upToDate":true}\n${textOf("x")}`)
  expect([made.replica.pendingEvents, made.appends().length]).toEqual([1, 1])
  return made
}

test("[OUT7] what is left of a batch that another device has appended in part is not sent beside it", async () => {
  const { appends, told, append, replica } = await halfForeign()
  append(3, "z")
  told({ ...reply(200, { "stream-next-offset": "0003" }), from: "0001" })
  expect([replica.head, replica.pendingEvents]).toEqual(["0003", 1])
  await vi.waitFor(() => expect(appends()).toHaveLength(2))
  expect(appends()[1]).toContain(`\n${textOf("z")}`)
})

test("[OUT7] over another socket it goes under the same number, which the edge has given to all of it or to none", async () => {
  const { appends, seen, pass } = await halfForeign()
  seen.sockets.at(-1)?.closed(1006)
  pass(0)
  await vi.waitFor(() => expect(seen.sockets).toHaveLength(2))
  seen.sockets.at(-1)?.opened(SUBPROTOCOL)
  seen.sockets.at(-1)?.frame(JSON.stringify({ t: "control", next: "0001", upToDate: true }))
  await vi.waitFor(() => expect(appends()).toHaveLength(2))
  expect(headerOf(appends()[1])).toEqual(headerOf(appends()[0]))
  expect(appends()[1]).toContain(`\n${textOf("y")}`)
})

test("[OUT7] when the edge refuses it, what is left is tried by itself", async () => {
  const { appends, told, seen } = await halfForeign()
  told(reply(422, {}, "Not this."))
  await vi.waitFor(() => expect(appends()).toHaveLength(2))
  expect(appends()[1]).toContain(`\n${textOf("y")}`)
  told({ ...reply(422, {}, "Not this."), id: headerOf(appends()[1]).id })
  expect(seen.rejected.map(({ text }) => text)).toEqual([textOf("y")])
})
