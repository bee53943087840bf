import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeViewCompiler } from "../../contract/view-compiler.ts"

const sqlite = await loadSqlite()
describeViewCompiler("WASM", () => sqlite.open())
