import { expect, test, vi } from "vitest"
import { CLOSE, SUBPROTOCOL } from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import { MARK, textOf, world } from "./one-stream.ts"

const THROTTLED = { t: "reply", id: 0, status: 429, headers: { "retry-after": "7" }, message: "Too fast." }

/** What of an append is stored. */
function textSent(frame: string): string | undefined {
  return frame.split("\n")[1]
}

/** A live client whose first append has come too soon. */
async function throttled(reply: object = THROTTLED) {
  const made = world()
  made.sync.input({ kind: "started" })
  await made.live()
  made.append(1, "x")
  await vi.waitFor(() => expect(made.appends()).toHaveLength(1))
  made.told(reply)
  return made
}

test("[CONN10] an append that comes too soon keeps the socket, and the same bytes go out when the edge said", async () => {
  const { seen, sync, replica, pass, append, told, appends } = await throttled()
  append(2, "y")
  expect(sync.state.kind).toBe("live")
  expect(sync.lastError).toEqual({ code: "throttled", message: "Too fast. Sent again after 7 s." })
  sync.input({ kind: "woke" }) // changes nothing, and hides nothing
  expect(sync.lastError).toMatchObject({ code: "throttled" })

  seen.sockets.at(-1)?.frame(`{"t":"data","from":"${START}","next":"0001","upToDate":true}\n{"id":"other"}`)
  expect(replica.head).toBe("0001")
  pass(6_999)
  expect(appends()).toHaveLength(1)
  pass(1)
  expect(appends().map(textSent)).toEqual([textOf("x"), textOf("x")])

  told({ t: "reply", id: 0, status: 200, headers: { "stream-next-offset": "0002" }, from: "0001" })
  expect([sync.lastError, replica.pendingEvents, seen.sockets.length]).toEqual([undefined, 1, 1])
  await vi.waitFor(() => expect(appends()).toHaveLength(3))
  expect(appends()[2]).toContain(`"y"`)
})

test("[CONN10] a batch that is read back while it waits is not sent again, nor is the next one twice", async () => {
  const { seen, sync, pass, append, appends } = await throttled()
  append(2, "y")
  const own = textOf("x")
  seen.sockets.at(-1)?.frame(`{"t":"data","from":"${START}","next":"0001","upToDate":true}\n${own}`)
  expect(sync.lastError).toBeUndefined()
  await vi.waitFor(() => expect(appends()).toHaveLength(2))
  pass(7_000)
  expect(appends().map((frame) => frame.includes(`"y"`))).toEqual([false, true])
})

test("[CONN10] the wait ends with its socket: the next one is given the batch once", async () => {
  const { seen, sync, pass, live, appends } = await throttled()
  seen.sockets.at(-1)?.closed(1006)
  expect(sync.lastError).toMatchObject({ code: "unreachable" })
  pass(0)
  await live()
  expect(appends()).toHaveLength(2)
  pass(7_000)
  expect(appends()).toHaveLength(2)
})

test("[CONN10] an edge that does not say how long is asked again after the longest wait", async () => {
  const { pass, told, appends } = await throttled({ ...THROTTLED, headers: {} })
  pass(LIMITS.pingMsInterval) // a live edge answers
  told({ t: "control", next: START, upToDate: true })
  pass(LIMITS.retryMsMax - LIMITS.pingMsInterval - 1)
  expect(appends()).toHaveLength(1)
  pass(1)
  expect(appends()).toHaveLength(2)
})

test("[CONN11] a stream without room is left alone for ten seconds at least, and says why", async () => {
  const { seen, sync } = world()
  sync.input({ kind: "started" })
  await vi.waitFor(() => expect(seen.sockets).toHaveLength(1))
  seen.sockets[0]!.opened(SUBPROTOCOL)
  seen.sockets[0]!.closed(CLOSE.full)
  expect(sync.state).toMatchObject({ kind: "waiting", retryAt: 10_000 })
  expect(sync.lastError).toMatchObject({ code: "throttled" })
})

test.each([
  [429, "60", "throttled", 60_000],
  [503, "2", "unreachable", 2_000],
  [503, "Wed, 21 Oct 2026 07:28:00 GMT", "unreachable", 0],
  [429, "99999999999", "throttled", LIMITS.retryAfterMsMax],
])("[CONN11] %i with Retry-After %s is %s, tried again after %i ms", async (status, retryAfter, code, ms) => {
  const { sync } = world({
    answer: () => new Response("", { status, headers: { ...MARK, "retry-after": retryAfter } }),
  })
  sync.input({ kind: "started" })
  await vi.waitFor(() => expect(sync.state).toMatchObject({ kind: "waiting", retryAt: ms }))
  expect(sync.lastError).toMatchObject({ code })
})
