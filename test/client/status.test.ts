import { describe, expect, test } from "vitest"
import {
  type ConnectionStatus,
  type StreamFacts,
  streamStatus,
  UNKNOWN,
  withTotals,
} from "../../client/status.ts"
import { EMPTY_CHAIN } from "../../shared/chain.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { issueOffset, START } from "../../shared/offset.ts"

const place = (position: number) => issueOffset({ generation: 1, position, chain: EMPTY_CHAIN })
const event = (time: string) => ({ messages: [{ id: time, type: "t", time }] })

const NOTHING: StreamFacts = {
  stream: "a/b" as StreamPath,
  head: START,
  pendingEvents: 0,
  pendingBytes: 0,
  rejectedEvents: 0,
  pending: [],
}

function of(facts: Partial<StreamFacts>, connection: Partial<ConnectionStatus> = {}) {
  return streamStatus({ ...NOTHING, ...facts }, { ...UNKNOWN, ...connection })
}

const whole = (...streams: ReturnType<typeof of>[]) =>
  withTotals({ role: "leader", paused: false, halts: [], views: [], streams: { ...streams } as never })

describe("the status of a stream", () => {
  test("[STATUS2] says how many messages it has still to read, once the edge has told its tail", () => {
    expect(of({}).lag).toBeUndefined()
    expect(of({}, { tail: place(7) }).lag).toBe(7)
    expect(of({ head: place(5) }, { tail: place(7) }).lag).toBe(2)
    expect(of({ head: place(7) }, { tail: place(7) }).lag).toBe(0)
  })

  test("[STATUS2] says since when the oldest pending event waits", () => {
    expect(of({}).pendingSince).toBeUndefined()
    const pending = [event("2026-01-02T03:04:05.678Z"), event("2026-01-02T03:04:06.000Z")]
    expect(of({ pending }).pendingSince).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
    expect(of({ pending: [event("yesterday")] }).pendingSince).toBeUndefined()
  })
})

describe("the status of a client", () => {
  test("[STATUS3] adds up its streams", () => {
    const early = of({ pendingEvents: 2, pendingBytes: 30, pending: [event("2026-01-01T00:00:00.000Z")] })
    const late = of({ pendingEvents: 1, pendingBytes: 20, pending: [event("2026-02-01T00:00:00.000Z")] })
    expect(whole(late, early, of({ rejectedEvents: 4 }))).toMatchObject({
      pending: 3,
      pendingBytes: 50,
      pendingSince: Date.UTC(2026, 0, 1),
      rejected: 4,
    })
    expect(whole().pendingSince).toBeUndefined()
  })

  test.each([
    [[], "idle"],
    [["stopped"], "idle"],
    [["waiting", "stopped"], "offline"],
    [["waiting", "live"], "online"],
    [["catching-up"], "connecting"],
    [["opening", "waiting"], "offline"],
  ] as const)("[STATUS3] streams that are %j make it %s", (connections, network) => {
    expect(whole(...connections.map((connection) => of({}, { connection }))).network).toBe(network)
  })

  test("[STATUS3] one that is told to stay off the network says so, whatever its streams say", () => {
    const streams = { a: of({}, { connection: "live" }) }
    expect(withTotals({ role: "follower", paused: true, halts: [], views: [], streams }).network).toBe(
      "paused",
    )
  })

  test("[STATUS3] gives an error of one of its streams as long as there is one", () => {
    const lastError = { code: "unreachable", message: "The edge did not answer." } as const
    expect(whole(of({}), of({}, { lastError })).lastError).toEqual(lastError)
    expect(whole(of({})).lastError).toBeUndefined()
  })
})
