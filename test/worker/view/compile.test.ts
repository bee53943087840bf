import { expect, test } from "vitest"
import { EQUAL_FUNCTIONS } from "../../../shared/view/determinism.ts"
import { describeEqualFolds } from "../../contract/equal-folds.ts"
import { describeStateHash } from "../../contract/state-hash.ts"
import { describeViewCompiler } from "../../contract/view-compiler.ts"
import { withDurableSqlite } from "./database.ts"

describeViewCompiler("Durable Object", withDurableSqlite)
const MORE_THAN_LOCAL = 60_000_000 // workerd on its own does not keep to the 2 MB of production
describeEqualFolds("Durable Object", withDurableSqlite, MORE_THAN_LOCAL)
describeStateHash("Durable Object", withDurableSqlite)

test("[VIEW2] a Durable Object lets every function through that a handler may call", async () => {
  const refused = await withDurableSqlite((database) =>
    [...EQUAL_FUNCTIONS].filter((name) => {
      try {
        database.prepare(`SELECT "${name}"(1) FROM (SELECT 1)`)
        return false
      } catch (cause) {
        return /not authorized|no such function/.test(String(cause))
      }
    }),
  )
  expect(refused).toEqual([])
})
