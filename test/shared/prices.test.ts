import fc from "fast-check"
import { expect, test } from "vitest"
import type { Millis } from "../../shared/ids.ts"
import {
  costOf,
  type Microdollars,
  parseDollars,
  storageCostPerMonth,
  writeDollars,
} from "../../shared/prices.ts"
import { nextUtcDay, utcDayOf } from "../../shared/utc-day.ts"

const NOTHING = { rowsRead: 0, rowsWritten: 0, requests: 0, framesIn: 0 }
const MILLION = 1_000_000

test("[METER4] a million of each costs what the table says", () => {
  expect(costOf({ ...NOTHING, rowsWritten: MILLION })).toBeCloseTo(1 * MILLION)
  expect(costOf({ ...NOTHING, rowsRead: MILLION })).toBeCloseTo(0.001 * MILLION)
  expect(costOf({ ...NOTHING, requests: MILLION })).toBeCloseTo(0.15 * MILLION)
  expect(costOf({ ...NOTHING, framesIn: 20 * MILLION })).toBeCloseTo(0.15 * MILLION)
  expect(storageCostPerMonth({ object: 1e9, segments: 0 })).toBeCloseTo(0.2 * MILLION)
  expect(storageCostPerMonth({ object: 0, segments: 1e9 })).toBeCloseTo(0.015 * MILLION)
})

test("[BUDGET1] dollars are read as they are written", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999_999_999_999 }), (amount) => {
      expect(parseDollars(writeDollars(amount as Microdollars))).toEqual({ ok: true, value: amount })
    }),
    { seed: 2026 },
  )
  expect(parseDollars("0.5")).toEqual({ ok: true, value: 500_000 })
  expect(parseDollars("10.000000")).toEqual({ ok: true, value: 10 * MILLION })
  expect(writeDollars((10 * MILLION) as Microdollars)).toBe("10")
})

test.each(["", "0", "0.0000001", "-1", "+1", "1.", ".5", "1e3", "1,5", " 1", "$1", "NaN", "1234567890"])(
  "[BUDGET1] %j is no budget",
  (text) => expect(parseDollars(text)).toMatchObject({ ok: false, reason: expect.stringContaining("came.") }),
)

test("[METER2] a day ends at midnight, UTC", () => {
  const noon = Date.UTC(2026, 10, 25, 12) as Millis
  const midnight = Date.UTC(2026, 10, 26) as Millis
  expect(nextUtcDay(noon)).toBe(midnight)
  expect(nextUtcDay(midnight)).toBe(Date.UTC(2026, 10, 27))
  expect([utcDayOf((midnight - 1) as Millis), utcDayOf(midnight)]).toEqual([20_782, 20_783])
})
