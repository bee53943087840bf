import fc from "fast-check"
import { expect, test } from "vitest"
import {
  decodeBatch,
  decodeBatchBody,
  joinBatches,
  messageTexts,
  parseBatch,
  splitBatch,
} from "../../shared/batch.ts"
import { LIMITS } from "../../shared/limits.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

/** JSON with blanks, escapes and quotes in awkward places. */
const message = fc
  .tuple(fc.jsonValue({ maxDepth: 4 }), fc.constantFrom(0, 1))
  .map(([value, indent]) => JSON.stringify(value, null, indent))
const messages = fc.array(message, { maxLength: 8 })

test("[BATCH1] brackets make a batch a JSON array of its messages", () => {
  fc.assert(
    fc.property(messages, (all) => {
      expect(parseBatch(all.join(","))).toEqual(all.map((one) => JSON.parse(one)))
    }),
  )
})

test("[BATCH3] a batch comes apart into the texts of its messages", () => {
  fc.assert(
    fc.property(messages, (all) => {
      expect([...messageTexts(all.join(","))]).toEqual(all)
    }),
  )
})

test("[BATCH2] an array as a body is opened one level, and its inside kept byte for byte", () => {
  fc.assert(
    fc.property(messages, fc.constantFrom("", " ", "\n\t"), (all, blank) => {
      const inside = all.join(`${blank},${blank}`)
      const decoded = decodeBatchBody(`${blank}[${inside}]${blank}`, LIMITS.jsonDepthMax)
      expect(decoded).toEqual({ ok: true, value: { text: inside, count: all.length } })
    }),
  )
})

test("[BATCH2] any other body is one message", () => {
  expect(decodeBatchBody(` {"a":[1,2]} `, LIMITS.jsonDepthMax)).toEqual({
    ok: true,
    value: { text: ` {"a":[1,2]} `, count: 1 },
  })
  expect(decodeBatchBody("[[1,2]]", LIMITS.jsonDepthMax)).toEqual({
    ok: true,
    value: { text: "[1,2]", count: 1 },
  })
  expect(decodeBatchBody(" [ ] ", LIMITS.jsonDepthMax)).toEqual({ ok: true, value: { text: "", count: 0 } })
})

test("[BATCH3] a cut before any message leaves two batches that join to the same", () => {
  fc.assert(
    fc.property(messages, fc.nat(9), (all, at) => {
      const [before, after] = splitBatch(all.join(","), at)
      expect(before).toBe(all.slice(0, at).join(","))
      expect(after).toBe(all.slice(at).join(","))
      expect(joinBatches([before, after])).toBe(all.join(","))
    }),
  )
})

test.each(["{", "1 2", "1,", ",1", "1],[2", '"', "'a'", "\ufeff1", "NaN"])(
  "[BATCH4] %j is no batch",
  (text) => {
    expect(decodeBatch(text, LIMITS.jsonDepthMax)).toMatchObject({
      ok: false,
      reason: expect.stringMatching(/^JSON was expected/),
    })
    expect(decodeBatchBody(`[${text}]`, LIMITS.jsonDepthMax)).toMatchObject({ ok: false })
  },
)

test("[BATCH4] no text makes a decoder throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'[]{}",\\:1 u') }), (text) => {
      const decoded = decodeBatch(text, LIMITS.jsonDepthMax)
      if (decoded.ok) expect(parseBatch(text).length).toBe(decoded.value.count)
    }),
    { numRuns: 2_000 },
  )
})

test("[BATCH5] messages nest as deep as the limit, brackets in strings not counted", () => {
  const nested = (depth: number) => `${"[".repeat(depth)}"[[[\\"{{{"${"]".repeat(depth)}`
  expect(decodeBatch(nested(LIMITS.jsonDepthMax), LIMITS.jsonDepthMax).ok).toBe(true)
  expect(decodeBatch(nested(LIMITS.jsonDepthMax + 1), LIMITS.jsonDepthMax).ok).toBe(false)
  expect(decodeBatchBody(`[${nested(LIMITS.jsonDepthMax)}]`, LIMITS.jsonDepthMax).ok).toBe(true)
  expect(decodeBatchBody(`[${nested(LIMITS.jsonDepthMax + 1)}]`, LIMITS.jsonDepthMax).ok).toBe(false)
  expect(decodeBatchBody(`{"a":${nested(LIMITS.jsonDepthMax - 1)}}`, LIMITS.jsonDepthMax).ok).toBe(true)
})
