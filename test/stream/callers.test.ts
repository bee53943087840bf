import { expect, test } from "vitest"
import { CLOSE } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { type Bounds, LIMITS } from "../../shared/limits.ts"
import { ANYONE, type Principal } from "../../worker/access/caller.ts"
import { Callers } from "../../worker/stream/callers.ts"
import { SharedAlarm } from "../../worker/stream/shared-alarm.ts"
import { MemoryHost } from "./memory-host.ts"

function world(bounds: Bounds = LIMITS) {
  const host = new MemoryHost()
  const parts = {
    bounds,
    now: () => host.now(),
    exec: host.exec.bind(host),
    wakeAt: host.wakeAt.bind(host),
    sockets: () => host.readers(),
  }
  const inMs = (ms: number) => (host.time + ms) as Millis
  const caller = (id: string, left = 60_000): Principal => ({
    kind: "principal",
    id,
    token: `${id}'s`,
    issuedAt: inMs(-1_000),
    until: inMs(left),
    mayAppend: true,
  })
  return { host, callers: new Callers(parts), again: () => new Callers(parts), caller }
}

test("[ACCESS7] nothing is sent to a socket, or taken from it, from the moment in which its time is over", () => {
  const { host, callers, caller } = world()
  const [short, long, open] = [host.socket(caller("a", 10)), host.socket(caller("b")), host.socket(ANYONE)]
  host.time += 9
  expect([...callers.listeners()]).toEqual([short, long, open])
  expect(callers.hears(short)).toBe(true)
  host.time += 1
  expect(callers.hears(short)).toBe(false)
  expect(short.closed).toEqual({ code: CLOSE.unauthorized })
  expect([...callers.listeners()]).toEqual([long, open])
})

test("[ACCESS7] each end wakes for the next, whatever was in memory", () => {
  const { host, again, caller } = world()
  const sockets = [30, 10, 20].map((left) => host.socket(caller("a", left)))
  for (const { caller: of } of sockets) again().enter(of)
  const closed: number[] = []
  host.time += 10
  while (sockets.some((socket) => socket.closed === undefined)) {
    again().expire()
    closed.push(sockets.filter((socket) => socket.closed !== undefined).length)
    host.time = host.alarm ?? Number.NaN
  }
  expect(closed).toEqual([1, 2, 3])
})

test("[ACCESS3] a ticket counts to the end of its time, once, and not when its caller's time is over before", () => {
  const { host, callers, caller } = world()
  const issue = (of: Principal) => callers.issueTicket(of, "secret")?.ticket ?? ""
  const use = (ticket: string) => callers.enter({ kind: "ticket", ticket, principal: undefined })
  const [good, late, short] = [issue(caller("a")), issue(caller("b")), issue(caller("c", 5))]
  host.time += 5
  expect(use(short)).toBe(undefined)
  host.time += LIMITS.ticketMsMax - 6
  expect(use(good)).toMatchObject({ id: "a" })
  expect(use(good)).toBe(undefined)
  host.time += 1
  expect(use(late)).toBe(undefined)
})

test("[ACCESS3] a ticket whose number is given again is another ticket", () => {
  const { callers, caller } = world()
  const first = callers.issueTicket(caller("a"), "first")?.ticket ?? ""
  const enter = (ticket: string) => callers.enter({ kind: "ticket", ticket, principal: undefined })
  expect(enter(first)).toMatchObject({ id: "a" })
  const second = callers.issueTicket(caller("b"), "second")?.ticket ?? ""
  expect(second.split(".")[0]).toBe(first.split(".")[0])
  expect(enter(first)).toBe(undefined)
  expect(enter(second)).toMatchObject({ id: "b" })
})

test("[ACCESS3] tickets are bounded, and there is room again when their time is over", () => {
  const bounds = { ...LIMITS, ticketsMax: 3, ticketMsMax: 5_000 }
  const { host, callers, caller } = world(bounds)
  const issue = () => callers.issueTicket(caller("a", 3_600_000), "secret")
  expect([issue()?.ticket, issue()?.ticket, issue()?.ticket]).toEqual(["1.secret", "2.secret", "3.secret"])
  expect(issue()).toBe(undefined)
  host.time += bounds.ticketMsMax
  expect(issue()).toBeDefined()
})

test("[ACCESS8] revocations are bounded, and forgotten when no token of theirs can count", () => {
  const { host, callers, again, caller } = world()
  for (let n = 0; n < LIMITS.revocationsMax; n++)
    expect(callers.revoke({ kind: "principal", name: `p${n}` })).toBe(true)
  expect(callers.revoke({ kind: "token", name: "more" })).toBe(false)
  expect(callers.revoke({ kind: "principal", name: "p0" })).toBe(true)
  expect(again().admits(caller("p7"))).toBe(false)
  host.time += LIMITS.tokenLifeMsMax
  expect(again().admits({ ...caller("p7"), issuedAt: 0 as Millis })).toBe(false)
  host.time += 2 * LIMITS.clockToleranceMs
  expect(callers.revoke({ kind: "token", name: "more" })).toBe(true)
  expect(again().admits({ ...caller("p7"), issuedAt: 0 as Millis })).toBe(true)
})

test("[ACCESS7] one alarm serves all: it is set for the earliest, and only when that changes", () => {
  const sets: number[] = []
  const alarm = new SharedAlarm((at) => sets.push(at))
  const rings: string[] = []
  alarm.restore(50 as Millis)
  alarm.join(() => {
    rings.push("a")
    alarm.wakeAt(80 as Millis)
  })
  alarm.join(() => {
    rings.push("b")
    alarm.wakeAt(70 as Millis)
    alarm.wakeAt(90 as Millis)
  })
  for (const at of [60, 50, 40, 40, 45]) alarm.wakeAt(at as Millis)
  expect(sets).toEqual([40])
  alarm.ring()
  expect([rings, sets]).toEqual([
    ["a", "b"],
    [40, 80, 70],
  ])
})
