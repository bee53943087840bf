import fc from "fast-check"
import { expect, inject, test } from "vitest"
import { Bijection } from "./differential/bijection.ts"
import { sequence } from "./differential/operations.ts"
import { type Names, Twins } from "./differential/twins.ts"
import { newStream } from "./edge-client.ts"

/*
 * The same operations through both transports, on two streams: equal statuses, headers, sentences and bytes, equal
 * pages to readers of both kinds, and offsets that stand for each other.
 */

const RUNS = inject("runs")
const SEED = inject("seed")

/** So many sequences at a time: most of the time of each is spent waiting for a disk. */
const LANES = 16

const PATIENCE_MS = 60_000 + RUNS * 100

test(`[WS11] ${RUNS} sequences of seed ${SEED} are answered alike over HTTP and over a socket`, {
  timeout: PATIENCE_MS,
}, async () => {
  const compareUnder = (names: Names) =>
    fc.asyncProperty(sequence, async ({ contentType, operations, again }) => {
      const twins = await Twins.create(names, contentType)
      for (const one of operations) await (one.kind === "append" ? twins.append(one) : twins.read(one))
      await twins.compareHistories()
      await twins.delete()
      if (again) await twins.createAgain()
    })
  const numRuns = Math.ceil(RUNS / LANES)
  const lanes = Array.from({ length: LANES }, (_, lane) =>
    fc.assert(compareUnder([newStream(), newStream()]), { numRuns, seed: SEED + lane }),
  )
  await Promise.all(lanes)
})

test("[WS11] offsets that do not stand for each other are found", () => {
  const offsets = new Bijection()
  offsets.pair("a1", "b1")
  offsets.pair("a2", "b2")
  offsets.pair("a1", "b1")
  expect(offsets.translate("a2 after a1")).toBe("b2 after b1")
  expect(() => offsets.pair("a1", "b2")).toThrow("a1 came with b2")
  expect(() => offsets.pair("a3", "b2")).toThrow("a3 came with b2")
  offsets.pair("a3", "b0")
  expect(() => offsets.inOrder()).toThrow("two orders")
})
