import type { Mutant } from "./mutants.ts"
import { type Outcome, simulate } from "./simulation.ts"
import type { Parts } from "./world.ts"

/** What many seeds came to. */
export type Summary = {
  readonly seeds: number
  readonly steps: number
  readonly events: number
  readonly simulatedMs: number
  readonly faults: ReadonlyMap<string, number>
  readonly violations: readonly Outcome[]
}

/** Runs seeds one after the other. `heard` is told of each. */
export async function runSeeds(
  seeds: Iterable<number>,
  parts: Parts,
  heard: (outcome: Outcome) => void = () => {},
): Promise<Summary> {
  const faults = new Map<string, number>()
  const violations: Outcome[] = []
  const sum = { seeds: 0, steps: 0, events: 0, simulatedMs: 0 }
  for (const seed of seeds) {
    const outcome = await simulate(seed, { parts })
    sum.seeds++
    sum.steps += outcome.steps
    sum.events += outcome.events
    sum.simulatedMs += outcome.simulatedMs
    for (const [name, count] of outcome.faults) faults.set(name, (faults.get(name) ?? 0) + count)
    if (outcome.violation !== undefined) violations.push(outcome)
    heard(outcome)
  }
  return { ...sum, faults, violations }
}

/** The first run in which a mutant is caught; undefined when all seeds miss it. */
export async function hunt(mutant: Mutant, seeds: Iterable<number>): Promise<Outcome | undefined> {
  const restore = mutant.install?.()
  try {
    for (const seed of seeds) {
      const outcome = await simulate(seed, { parts: mutant.parts })
      if (outcome.violation !== undefined) return outcome
    }
    return undefined
  } finally {
    restore?.()
  }
}

export function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => first + at)
}
