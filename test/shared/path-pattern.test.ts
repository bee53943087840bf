import { describe, expect, test } from "vitest"
import { coversPath, isPattern } from "../../shared/path-pattern.ts"

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
