import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type Chain, EMPTY_CHAIN } from "../../shared/chain.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import { parseStreamPath } from "../../shared/ids.ts"
import { isAfter, issueOffset, NOW, parseOffset, readIssuedOffset, START } from "../../shared/offset.ts"

describe("stream paths", () => {
  test.each(["orders", "acme/orders", "a/b/c-1_2.3~4"])("[PATH1] %s is one", (path) => {
    expect(parseStreamPath(path)).toBe(path)
  })

  test.each([
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "a/../b",
    "a b",
    "a?b",
    "a%2fb",
    "é",
    "__ds/x",
    "x".repeat(513),
    7,
    null,
  ])("[PATH1] %j is none, and the error says why", (path) => {
    expect(() => parseStreamPath(path)).toThrow(HeadwaterError)
    expect(() => parseStreamPath(path)).toThrow(/acme\/orders/)
  })
})

describe("offsets", () => {
  const issued = fc.record({
    generation: fc.integer({ min: 0, max: 36 ** 9 - 1 }),
    position: fc.maxSafeNat(),
    chain: fc
      .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 16, maxLength: 16 })
      .map((text) => text as Chain),
  })

  test("[OFFSET1] are read back as they were issued, and fit the protocol's grammar", () => {
    fc.assert(
      fc.property(issued, (place) => {
        const offset = issueOffset(place)
        expect(parseOffset(offset)).toBe(offset)
        expect(readIssuedOffset(offset)).toEqual(place)
      }),
    )
  })

  test("[OFFSET2] sort as text in the order of their places", () => {
    fc.assert(
      fc.property(issued, issued, (a, b) => {
        const isLater =
          a.generation > b.generation || (a.generation === b.generation && a.position > b.position)
        expect(isAfter(issueOffset(a), issueOffset(b))).toBe(isLater)
      }),
    )
  })

  test("[OFFSET2] the start is before all others", () => {
    const first = issueOffset({ generation: 0, position: 0, chain: EMPTY_CHAIN })
    expect(isAfter(first, START)).toBe(true)
    expect(isAfter(START, first)).toBe(false)
    expect(isAfter(START, START)).toBe(false)
  })

  test.each(["", "a,b", "a&b", "a=b", "a?b", "a/b", "a b", "x".repeat(256)])(
    "[OFFSET1] %j is none",
    (text) => {
      expect(parseOffset(text)).toBeUndefined()
    },
  )

  test.each([
    START,
    NOW,
    "0_0",
    "abc",
    `zzzzzzzzz_${"9".repeat(16)}_${EMPTY_CHAIN}`,
    `000000000_${"0".repeat(16)}`,
  ])("[OFFSET1] this edge never issued %j", (text) => {
    expect(readIssuedOffset(text)).toBeUndefined()
  })
})
