import "../tiny-limits.ts"
import { afterAll, describe, expect, test } from "vitest"
import { MUTANTS } from "../mutants.ts"
import { enumerateCrashes } from "./enumerate.ts"
import { SCRIPTS } from "./scripts.ts"

const TIMEOUT_MS = 120_000

/** Bugs that a crash brings to light. The storm finds them too, by chance. */
const HARMFUL = [
  "answered before stored",
  "relaxed outbox",
  "head without its page",
  "batch chosen anew",
  "dedupe off",
]
const CRASH_MUTANTS = MUTANTS.filter(({ name }) => HARMFUL.includes(name))

describe("a device that ends at any request of its disk loses nothing that was stored", () => {
  const sum = { requests: 0, ends: 0, reopened: 0, secondEnds: 0 }

  test.each(SCRIPTS)(
    "[LOG10] while $name",
    async (script) => {
      const { violations, ...counts } = await enumerateCrashes(script)
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name] // its own names
      expect(violations.map(({ crash, violation }) => `${crash}: ${violation}`)).toEqual([])
      expect(counts.reopened).toBeGreaterThan(0)
    },
    TIMEOUT_MS,
  )

  afterAll(() => {
    const { requests, ends, reopened, secondEnds } = sum
    console.info(
      `${SCRIPTS.length} scripts, ${requests} requests: ${ends} crashes left an image that was checked,`,
    )
    console.info(
      `${reopened} devices were opened again, and ${secondEnds} images of a second crash were checked`,
    )
  })
})

describe("crashes find bugs that are put back in", () => {
  test.each(CRASH_MUTANTS)(
    "[SIM3] $name: $bug",
    async (mutant) => {
      const caught: string[] = []
      for (const script of SCRIPTS) {
        const { violations } = await enumerateCrashes(script, mutant.parts, true)
        for (const { violation } of violations) caught.push(`${script.name}: ${violation.rule}`)
        if (caught.length > 0) break
      }
      expect(caught, "no script brings it to light").not.toEqual([])
    },
    TIMEOUT_MS,
  )
})
