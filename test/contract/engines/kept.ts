import fc from "fast-check"
import { anyCase, type Case } from "./cases.ts"
import type { Outcome } from "./folding.ts"

/** The cases of every run in CI. Their hashes are kept in `hashes.json`, which all engines have to agree with. */
export const KEPT = { seed: 2026, cases: 2_000 } as const

/** The kept cases, in the order of their hashes. */
export function keptCases(): Case[] {
  return fc.sample(anyCase, { seed: KEPT.seed, numRuns: KEPT.cases })
}

/** The first digits of a case's hash: enough to tell cases apart that differ. */
export function shortHash(outcome: Outcome): string {
  if ("refused" in outcome) return "refused"
  const halts = outcome.halts.length
  return `${outcome.hash.view.slice(0, 8)}/${halts}`
}

/** A case as somebody who looks for a difference wants to read it. */
export function shown({ view, runs, manner }: Case): string {
  const texts = runs.map(({ stream, texts: own }) => `${stream}:\n  ${own.join("\n  ")}`)
  return [JSON.stringify(view, null, 2), ...texts, JSON.stringify(manner)].join("\n").replaceAll("\\\n", "\n")
}
