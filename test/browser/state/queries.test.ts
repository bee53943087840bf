import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeQueries } from "../../contract/queries.ts"

const sqlite = await loadSqlite()
describeQueries("WASM", { open: async () => sqlite.open(), isStoppable: true, fuzzRuns: 300 })
