import fc from "fast-check"
import { expect, test } from "vitest"
import type { Millis } from "../../shared/ids.ts"
import { newBucket, takeToken } from "../../shared/token-bucket.ts"

const at = (ms: number) => ms as Millis

test("[LIMIT4] in no stretch of time come more than the burst and what the rate allows in it", () => {
  const steps = fc.array(fc.integer({ min: -50, max: 400 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 50 }),
      steps,
      (perSecond, burst, gaps) => {
        const rate = { perSecond, burst }
        let [bucket, now, latest] = [newBucket(rate, at(0)), 0, 0]
        const taken: number[] = []
        for (const gap of gaps) {
          now += gap
          latest = Math.max(latest, now)
          const next = takeToken(bucket, rate, at(now))
          bucket = next.bucket
          if (next.kind === "taken") taken.push(latest)
        }
        for (const [from, start] of taken.entries()) {
          for (const [more, end] of taken.slice(from).entries()) {
            expect(more + 1).toBeLessThanOrEqual(burst + ((end - start) * perSecond) / 1_000 + 1e-6)
          }
        }
      },
    ),
    { seed: 2026 },
  )
})

test("[LIMIT4] who waits as long as told gets one, and not sooner", () => {
  const rate = { perSecond: 4, burst: 1 }
  const first = takeToken(newBucket(rate, at(1_000)), rate, at(1_000))
  const second = takeToken(first.bucket, rate, at(1_100))
  expect([first.kind, second]).toEqual(["taken", expect.objectContaining({ kind: "empty", waitMs: 150 })])
  expect(takeToken(second.bucket, rate, at(1_249)).kind).toBe("empty")
  expect(takeToken(second.bucket, rate, at(1_250)).kind).toBe("taken")
})
