import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeViewState } from "../../contract/view-state.ts"

describeViewState("WASM", async () => (await loadSqlite()).open(), 150)
