import { expect, test } from "vitest"
import { textSum } from "../../shared/text-sum.ts"

const TEXT = "the text of a record, with é and 😀 in it"

test("[DAMAGE1] a text that lost its end, or any unit of it, has another sum", () => {
  const whole = textSum(["name", TEXT])
  for (let at = 0; at < TEXT.length; at++) {
    expect(textSum(["name", TEXT.slice(0, at)])).not.toBe(whole)
    expect(textSum(["name", `${TEXT.slice(0, at)}~${TEXT.slice(at + 1)}`])).not.toBe(whole)
    expect(textSum(["name", TEXT.slice(0, at) + TEXT.slice(at + 1)])).not.toBe(whole)
  }
  expect(textSum(["name", TEXT])).toBe(whole)
})

test("[DAMAGE1] nothing moves from one part to the next unseen, and parts do not change places", () => {
  const sums = [["ab", "c"], ["a", "bc"], ["abc"], ["abc", ""], ["c", "ab"], ["a,b", "c"], ["a", "b,c"]].map(
    textSum,
  )
  expect(new Set(sums).size).toBe(sums.length)
})
