import fc from "fast-check"
import { expect, test } from "vitest"
import type { Millis } from "../../shared/ids.ts"
import { endOf, isSameLifetime, isUseWorthNoting, type Lifetime } from "../../shared/lifetime.ts"
import { LIMITS } from "../../shared/limits.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

const at = (ms: number) => ms as Millis

test("[EDGE10] a stream with a TTL never ends before it, however coarsely its uses are noted", () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.array(fc.nat(100_000), { minLength: 1 }), (seconds, gaps) => {
      const lifetime: Lifetime = { kind: "idle", seconds }
      let [used, noted] = [0, 0]
      for (const gap of gaps) {
        used += gap
        if (isUseWorthNoting(lifetime, at(noted), at(used), LIMITS.useNoteMsInterval)) noted = used
        expect(endOf(lifetime, at(noted), LIMITS.useNoteMsInterval)).toBeGreaterThanOrEqual(
          used + seconds * 1_000,
        )
      }
    }),
  )
})

test("[EDGE10] only a stream with a TTL notes its uses", () => {
  expect(isUseWorthNoting({ kind: "endless" }, at(0), at(1e9), LIMITS.useNoteMsInterval)).toBe(false)
  expect(
    isUseWorthNoting({ kind: "until", at: at(5), text: "" }, at(0), at(1e9), LIMITS.useNoteMsInterval),
  ).toBe(false)
  expect(isUseWorthNoting({ kind: "idle", seconds: 10 }, at(0), at(999), LIMITS.useNoteMsInterval)).toBe(
    false,
  )
  expect(isUseWorthNoting({ kind: "idle", seconds: 10 }, at(0), at(1_000), LIMITS.useNoteMsInterval)).toBe(
    true,
  )
})

test("[EDGE10] the same moment written in two ways is the same lifetime", () => {
  const one: Lifetime = { kind: "until", at: at(5), text: "1970-01-01T00:00:00.005Z" }
  expect(isSameLifetime(one, { ...one, text: "1970-01-01T01:00:00.005+01:00" })).toBe(true)
  expect(isSameLifetime(one, { ...one, at: at(6) })).toBe(false)
  expect(isSameLifetime({ kind: "endless" }, { kind: "idle", seconds: 0 })).toBe(false)
  expect(endOf({ kind: "endless" }, at(0), LIMITS.useNoteMsInterval)).toBe(undefined)
})
