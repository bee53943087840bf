import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { openDurableSqlite } from "../../../worker/view/do-sqlite.ts"
import type { Case } from "../../contract/engines/cases.ts"
import { foldInManner, foldPlainly } from "../../contract/engines/folding.ts"
import hashes from "../../contract/engines/hashes.json"
import { keptCases, shortHash, shown } from "../../contract/engines/kept.ts"

const CASES_PER_OBJECT = 50 // a new object for each case takes ten times as long
const SLOW_MS = 240_000 // on a busy machine

test("[VIEW24] a Durable Object has the rows that all other engines have, in every manner of folding", {
  timeout: SLOW_MS,
}, async () => {
  const cases = keptCases()
  expect(cases).toHaveLength(hashes.length)
  for (let start = 0; start < cases.length; start += CASES_PER_OBJECT) {
    const some = cases.slice(start, start + CASES_PER_OBJECT)
    const found = await hashesOf(some)
    for (const [at, given] of some.entries()) {
      expect(found[at], `case ${start + at}\n${shown(given)}`).toBe(hashes[start + at])
    }
  }
})

/** One after the other in one object, which is emptied between them. */
function hashesOf(cases: readonly Case[]): Promise<string[]> {
  return runInDurableObject(env.FOLDS.getByName(crypto.randomUUID()), async (_, { storage }) => {
    const open = () => openDurableSqlite(storage)
    const found: string[] = []
    for (const [at, given] of cases.entries()) {
      await storage.deleteAll()
      const outcome = at % 2 === 0 ? foldPlainly(open(), given) : foldInManner(open(), open, given)
      found.push(shortHash(await outcome))
    }
    return found
  })
}
