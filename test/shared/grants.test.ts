import fc from "fast-check"
import { expect, test } from "vitest"
import { decodeGrants, isGranted } from "../../shared/grants.ts"
import { LIMITS } from "../../shared/limits.ts"

const RUNS = Number(process.env.HEADWATER_RUNS ?? 2_000)

function covers(pattern: string, path: string): boolean {
  const grants = decodeGrants({ [pattern]: ["read"] }, LIMITS)
  if (!grants.ok) throw new Error(grants.reason)
  return isGranted(grants.value, path, "read")
}

const PATTERNS: [pattern: string, covered: string[], others: string[]][] = [
  ["acme/log", ["acme/log"], ["acme", "acme/log/", "acme/logs", "Acme/log", "x/acme/log", "acme/log/a"]],
  ["acme/*", ["acme/a", "acme/", "acme/a.b-c"], ["acme", "acme/a/b", "acm/a"]],
  ["acme/board-*/log", ["acme/board-1/log", "acme/board-/log"], ["acme/board-1/2/log", "acme/board/log"]],
  ["acme/**", ["acme", "acme/a", "acme/a/b"], ["acme2", "acme2/a", "a/acme"]],
  ["**/log", ["log", "a/log", "a/b/log"], ["a/log/b", "alog", "a/blog"]],
  ["a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/b/b"], ["ab", "a/xb", "a/b/c"]],
  ["**", ["a", "a/b", "", "a%2Fb"], []],
  ["*", ["a", ""], ["a/b"]],
  ["a**b", ["ab", "axb", "a*b"], ["a/b", "a/x/b"]],
  ["a*b*c", ["abc", "aXbYc", "abbc", "abcbc"], ["acb", "abcd"]],
  ["a.c", ["a.c"], ["abc"]],
  ["(a|b)+", ["(a|b)+"], ["a", "ab"]],
  ["%61", ["%61"], ["a"]],
]

test.each(PATTERNS)("[ACCESS4] the pattern %s covers %j and not %j", (pattern, covered, others) => {
  expect(covered.filter((path) => !covers(pattern, path))).toEqual([])
  expect(others.filter((path) => covers(pattern, path))).toEqual([])
})

/** The rule once more, by the engine for regular expressions, which has all the time it needs for short ones. */
function covenant(pattern: string): RegExp {
  const segments = pattern.split("/").map((segment) => {
    if (segment === "**") return "(?:/[^/]*)*"
    return `/${segment.replace(/[.*]+/g, (run) => run.replace(/\./g, "\\.").replace(/\*+/g, "[^/]*"))}`
  })
  return new RegExp(`^${segments.join("")}$`, "s")
}

const segment = fc.oneof(
  fc.constant("**"),
  fc.string({ unit: fc.constantFrom("a", "b", "*", "."), maxLength: 4 }),
)
const path = fc
  .array(fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 4 }), { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join("/"))
const pattern = fc
  .array(segment, { minLength: 1, maxLength: 5 })
  .map((segments) => segments.join("/"))
  .filter((text) => text !== "")

test("[ACCESS4] a pattern covers what the regular expression of the same meaning does", () => {
  let matches = 0
  fc.assert(
    fc.property(pattern, path, (one, other) => {
      const expected = covenant(one).test(`/${other}`)
      if (expected) matches++
      expect(covers(one, other)).toBe(expected)
    }),
    { numRuns: RUNS, seed: 2026 },
  )
  expect(matches).toBeGreaterThan(RUNS / 20)
})

test("[ACCESS4] a pattern takes its time from lengths, not from how often it could begin again", () => {
  const evil = `${"*a".repeat(250)}b`
  expect(covers(evil, "a".repeat(511))).toBe(false)
  expect(covers(`${"**/a/".repeat(100)}b`, "a/".repeat(255))).toBe(false)
})

test("[ACCESS4] no right implies another, and several patterns add up", () => {
  const grants = decodeGrants({ "a/**": ["read"], "a/b": ["append"], "**": [] }, LIMITS)
  const rights = (of: string) =>
    (["read", "append", "manage"] as const).filter((right) => grants.ok && isGranted(grants.value, of, right))
  expect([rights("a/b"), rights("a/c"), rights("b")]).toEqual([["read", "append"], ["read"], []])
})

test("[ACCESS4] grants that are not wholly understood are none", () => {
  const wrong = [undefined, null, "read", [], { a: "read" }, { a: ["write"] }, { "": ["read"] }, { a: [1] }]
  for (const claim of wrong)
    expect(decodeGrants(claim, LIMITS)).toEqual({ ok: false, reason: expect.any(String) })
  expect(decodeGrants({ __proto__: null, toString: ["read"] }, LIMITS)).toMatchObject({ ok: true })
})
