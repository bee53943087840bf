import fc from "fast-check"
import { expect, test } from "vitest"
import { fromJsonValue, toJsonValue } from "../../../shared/view/json-value.ts"

const value = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: true }),
  fc.string({ unit: "binary" }),
  fc.uint8Array(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).filter((one) => !Number.isSafeInteger(Number(one))),
  fc.constantFrom(-0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 60),
)

test("[EVIEW11] a value that goes through JSON comes back as it was", () => {
  fc.assert(
    fc.property(value, (one) => {
      const back = fromJsonValue(JSON.parse(JSON.stringify(toJsonValue(one))))
      expect(back).toEqual({ ok: true, value: one })
      if (typeof one === "number" && back.ok) expect(Object.is(back.value, one)).toBe(true)
    }),
  )
})

test.each([
  [undefined],
  [[1]],
  [{}],
  [{ blob: "0" }],
  [{ blob: "FF" }],
  [{ integer: "9223372036854775808" }],
  [{ integer: "1e3" }],
  [{ real: "NaN" }],
  [{ blob: "00", integer: "1" }],
])("[EVIEW11] %j is no value", (one) => {
  expect(fromJsonValue(one).ok).toBe(false)
})

test("[EVIEW11] a whole number that a double holds is one, however it is written", () => {
  expect(fromJsonValue({ integer: "-5" })).toEqual({ ok: true, value: -5 })
  expect(fromJsonValue(true)).toEqual({ ok: true, value: 1 })
})
