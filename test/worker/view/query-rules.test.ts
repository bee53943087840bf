import { describeRules } from "../../contract/queries.ts"
import { withDurableSqlite } from "./database.ts"

describeRules("Durable Object", {
  withDatabase: withDurableSqlite,
  hasBegin: false,
  isStoppable: false,
  fuzzRuns: 300,
})
