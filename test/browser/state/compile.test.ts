import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeEqualFolds } from "../../contract/equal-folds.ts"
import { withOpened } from "../../contract/sql-database.ts"
import { describeStateHash } from "../../contract/state-hash.ts"
import { describeViewCompiler } from "../../contract/view-compiler.ts"

const sqlite = await loadSqlite()
const withWasm = withOpened(() => sqlite.open())
describeViewCompiler("WASM", withWasm)
describeEqualFolds("WASM", withWasm)
describeStateHash("WASM", withWasm)
