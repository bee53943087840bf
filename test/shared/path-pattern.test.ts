import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { coversPath, coversPattern, isPattern } from "../../shared/path-pattern.ts"

describe("a pattern of stream paths", () => {
  test.each([
    ["boards/a", "boards/a", true],
    ["boards/a", "boards/b", false],
    ["boards/*", "boards/a", true],
    ["boards/*", "boards/a/b", false],
    ["boards/*", "boards", false],
    ["boards/**", "boards/a/b", true],
    ["boards/**", "boards", true],
    ["**/log", "log", true],
    ["**/log", "a/b/log", true],
    ["acme/team-*/log", "acme/team-7/log", true],
    ["acme/team-*/log", "acme/squad-7/log", false],
    ["a*b*c", "a-b-b-c", true],
  ])("[VIEW35] %s and %s: %s", (pattern, path, isCovered) => {
    expect(coversPath(pattern, path)).toBe(isCovered)
  })

  test("[VIEW35] a text with a star is one, any other is a path", () => {
    expect(["boards/*", "**", "a/b*"].map(isPattern)).toEqual([true, true, true])
    expect(isPattern("boards/a")).toBe(false)
  })
})

const RUNS = Number(process.env.HEADWATER_RUNS ?? 2_000)

describe("a pattern that covers another pattern", () => {
  const isCovered = (pattern: string, other: string) => coversPattern(pattern.split("/"), other.split("/"))

  test.each([
    ["boards/a", "boards/a", true],
    ["boards/*", "boards/a", true],
    ["boards/*", "boards/*", true],
    ["boards/*", "boards/team-*", true],
    ["boards/team-*", "boards/*", false],
    ["boards/*", "boards/**", false],
    ["*", "**", false],
    ["boards/**", "boards/*", true],
    ["boards/**", "boards/**", true],
    ["boards/**", "boards/*/log", true],
    ["**", "boards/**", true],
    ["boards/**", "**", false],
    ["boards/a", "boards/*", false],
    ["a/**/b", "a/*/**/b", true],
  ])("[EVIEW2] %s and %s: %s", (pattern, other, expected) => {
    expect(isCovered(pattern, other)).toBe(expected)
  })

  const segment = fc.oneof(
    fc.constant("**"),
    fc.string({ unit: fc.constantFrom("a", "b", "*"), maxLength: 3 }),
  )
  const pattern = fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join("/"))
  const path = fc
    .array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 3 }), { minLength: 1, maxLength: 5 })
    .map((segments) => segments.join("/"))

  test("[EVIEW2] covers whatever the other one covers", () => {
    let covered = 0
    fc.assert(
      fc.property(pattern, pattern, fc.array(path, { minLength: 20, maxLength: 20 }), (one, other, paths) => {
        if (!isCovered(one, other)) return
        covered++
        for (const each of paths) if (coversPath(other, each)) expect(coversPath(one, each)).toBe(true)
      }),
      { numRuns: RUNS * 5, seed: 20_261_125 },
    )
    expect(covered).toBeGreaterThan(RUNS / 10)
  })
})
