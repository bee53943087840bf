import "./tiny-limits.ts"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { describe, expect, test } from "vitest"
import { hunt, runSeeds, seedsFrom } from "./campaign.ts"
import { MUTANTS } from "./mutants.ts"

/** Fixed, so that a change is red for what it changes. Fresh ones: `npm run sim -- --seeds N --seed S`. */
const SEEDS = 200
const SEEDS_AT_ONCE = 50
const SEEDS_PER_MUTANT = 100
const TIMEOUT_MS = 120_000

const RUN = fileURLToPath(new URL("run.ts", import.meta.url))

describe("simulated worlds keep what is promised", () => {
  const firsts = Array.from({ length: SEEDS / SEEDS_AT_ONCE }, (_, at) => 1 + at * SEEDS_AT_ONCE)

  test.each(firsts)(
    `[SIM1] ${SEEDS_AT_ONCE} seeds from %i on`,
    async (first) => {
      const { violations, steps, events } = await runSeeds(seedsFrom(first, SEEDS_AT_ONCE), {})
      console.info(`seeds ${first} to ${first + SEEDS_AT_ONCE - 1}: ${steps} steps, ${events} events`)
      expect(violations.map(({ seed, violation }) => `seed ${seed}: ${violation}`)).toEqual([])
    },
    TIMEOUT_MS,
  )

  test(
    "[SIM2] a seed runs the same way in two processes",
    async () => {
      const seeds = seedsFrom(1, 10)
      const here: string[] = []
      await runSeeds(seeds, {}, ({ seed, hash }) => here.push(`${seed} ${hash}`))
      const { stdout } = await promisify(execFile)(process.execPath, [RUN, "--seeds", "10", "--hashes"])
      expect(stdout.trim().split("\n")).toEqual(here)
    },
    TIMEOUT_MS,
  )
})

describe("the simulator finds bugs that are put back in", () => {
  test.each(MUTANTS)(
    "[SIM3] $name: $bug",
    async (mutant) => {
      const found = await hunt(mutant, seedsFrom(1, SEEDS_PER_MUTANT))
      expect(found?.violation, `no violation in ${SEEDS_PER_MUTANT} seeds`).toBeDefined()
    },
    TIMEOUT_MS,
  )
})
