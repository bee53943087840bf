import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeEqualFolds } from "../../contract/equal-folds.ts"
import { describeStateHash } from "../../contract/state-hash.ts"
import { describeViewCompiler } from "../../contract/view-compiler.ts"

const sqlite = await loadSqlite()
describeViewCompiler("WASM", () => sqlite.open())
describeEqualFolds("WASM", () => sqlite.open())
describeStateHash("WASM", () => sqlite.open())
