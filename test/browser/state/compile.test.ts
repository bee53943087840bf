import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeEqualFolds } from "../../contract/equal-folds.ts"
import { withOpened } from "../../contract/sql-database.ts"
import { describeStateHash } from "../../contract/state-hash.ts"
import { describeViewCompiler } from "../../contract/view-compiler.ts"

const sqlite = await loadSqlite()
describeViewCompiler(
  "WASM",
  withOpened(() => sqlite.open()),
)
describeEqualFolds("WASM", () => sqlite.open())
describeStateHash("WASM", () => sqlite.open())
