import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { backoffMs, type ConnectionInput, type ConnectionState, step } from "../../shared/connection.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"

const tick = { now: 1_000 as Millis, chance: 0.5 }

function run(inputs: readonly ConnectionInput[], from: ConnectionState = { kind: "idle" }) {
  let state = from
  const effects: string[] = []
  for (const input of inputs) {
    const [next, ...asked] = step(state, input, tick)
    state = next
    effects.push(...asked.map((effect) => effect.kind))
  }
  return { state, effects }
}

const UP: ConnectionInput[] = [{ kind: "started" }, { kind: "page-read", upToDate: true }, { kind: "opened" }]

const anyInput: fc.Arbitrary<ConnectionInput> = fc.oneof(
  ...(
    [
      "started",
      "ended",
      "paused",
      "resumed",
      "woke",
      "missing",
      "created",
      "opened",
      "behind",
      "lost",
    ] as const
  ).map((kind) => fc.constant({ kind })),
  fc.nat().map((leastMs) => ({ kind: "lost" as const, leastMs })),
  fc.boolean().map((upToDate) => ({ kind: "page-read" as const, upToDate })),
  fc.constant({ kind: "refused" as const, reason: "closed" as const }),
)

describe("connection", () => {
  test("[CONN1] reads to the end over HTTP, then listens on a socket", () => {
    const { state, effects } = run([
      { kind: "started" },
      { kind: "page-read", upToDate: false },
      { kind: "page-read", upToDate: true },
      { kind: "opened" },
    ])
    expect(state.kind).toBe("live")
    expect(effects).toEqual(["let-go", "read-page", "let-go", "read-page", "open-socket"])
  })

  test("[CONN2] a stream that is missing is made, then read", () => {
    const { state, effects } = run([{ kind: "started" }, { kind: "missing" }, { kind: "created" }])
    expect(state.kind).toBe("catching-up")
    expect(effects).toEqual(["let-go", "read-page", "create-stream", "let-go", "read-page"])
  })

  test("[CONN3] a loss waits a random part of a bound that doubles, up to the longest", () => {
    let state: ConnectionState = run(UP).state
    const waits: number[] = []
    for (let i = 0; i < 12; i++) {
      const [waiting] = step(state, { kind: "lost" }, { now: 0 as Millis, chance: 0.999999 })
      if (waiting.kind === "waiting") waits.push(waiting.retryAt)
      ;[state] = step(waiting, { kind: "woke" }, tick)
    }
    expect(waits[0]).toBeLessThanOrEqual(LIMITS.retryMsMin)
    expect(waits[1]).toBeGreaterThan(LIMITS.retryMsMin)
    expect(waits.at(-1)).toBeLessThanOrEqual(LIMITS.retryMsMax)
    expect(waits.at(-1)).toBeGreaterThan(LIMITS.retryMsMax / 2)
    expect(backoffMs(5, 0)).toBe(0)
  })

  test("[CONN11] a loss with a least wait waits so long, and then as long as any other", () => {
    const { state } = run(UP)
    const [plain] = step(state, { kind: "lost" }, tick)
    const [asked] = step(state, { kind: "lost", leastMs: 10_000 }, tick)
    if (plain.kind !== "waiting") expect.unreachable()
    expect(asked).toEqual({ ...plain, retryAt: plain.retryAt + 10_000 })
    expect(plain.retryAt).toBeGreaterThan(tick.now)
  })

  test("[CONN3] a connection that lasted is counted as a good one", () => {
    const live: ConnectionState = { kind: "live", attempt: 9, since: 0 as Millis }
    const later = { now: (LIMITS.retryMsMax + 1) as Millis, chance: 1 }
    expect(step(live, { kind: "lost" }, later)[0]).toMatchObject({ kind: "waiting", attempt: 1 })
  })

  test("[CONN4] what was refused for good is not tried again", () => {
    const { state } = run([
      ...UP,
      { kind: "refused", reason: "closed" },
      { kind: "woke" },
      { kind: "resumed" },
      { kind: "lost" },
    ])
    expect(state).toEqual({ kind: "stopped", reason: "closed" })
  })

  test("[CONN5] paused means no network until resumed, also for what was about to begin", () => {
    const { state, effects } = run([
      { kind: "paused" },
      { kind: "started" },
      { kind: "woke" },
      { kind: "lost" },
    ])
    expect(state.kind).toBe("paused")
    expect(effects).toEqual(["let-go"])
    expect(run([{ kind: "resumed" }], state).effects).toEqual(["let-go", "read-page"])
  })

  test("[CONN6] whatever happens in whatever order, one thing at most is under way, and it fits the state", () => {
    const asks: Record<string, string | undefined> = {
      "catching-up": "read-page",
      creating: "create-stream",
      opening: "open-socket",
      live: "open-socket",
      waiting: "wake-at",
    }
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 60 }), (inputs) => {
        let state: ConnectionState = { kind: "idle" }
        let underWay: string | undefined
        for (const input of inputs) {
          const [next, ...effects] = step(state, input, tick)
          for (const { kind } of effects) underWay = kind === "let-go" ? undefined : kind
          state = next
          expect(underWay).toBe(asks[state.kind])
        }
      }),
    )
  })
})
