import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import type { SqlDatabase } from "../../../shared/sql.ts"
import { openDurableSqlite } from "../../../worker/view/do-sqlite.ts"
import type { Case } from "../../contract/engines/cases.ts"
import { foldInManner, foldPlainly, type Outcome } from "../../contract/engines/folding.ts"
import hashes from "../../contract/engines/hashes.json"
import { keptCases, shortHash, shown } from "../../contract/engines/kept.ts"

const SLOW_MS = 240_000 // on a busy machine

/** Folds a case in an object that has nothing yet. */
function inObject(work: (open: () => SqlDatabase) => Promise<Outcome>): Promise<Outcome> {
  return runInDurableObject(env.FOLDS.getByName(crypto.randomUUID()), (_, { storage }) =>
    work(() => openDurableSqlite(storage)),
  )
}

const plainly = (given: Case) => inObject((open) => foldPlainly(open(), given))
const inManner = (given: Case) => inObject((open) => foldInManner(open(), open, given))

test("[VIEW24] a Durable Object has the rows that all other engines have, in every manner of folding", {
  timeout: SLOW_MS,
}, async () => {
  const found: string[] = []
  for (const [at, given] of keptCases().entries()) {
    const outcome = await (at % 2 === 0 ? plainly(given) : inManner(given))
    expect(shortHash(outcome), `case ${at}\n${shown(given)}\n${JSON.stringify(outcome)}`).toBe(hashes[at])
    found.push(shortHash(outcome))
  }
  expect(found).toEqual(hashes)
})
