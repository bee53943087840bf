import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeQueries } from "../../contract/queries.ts"
import { withOpened } from "../../contract/sql-database.ts"

const sqlite = await loadSqlite()
describeQueries("WASM", { withDatabase: withOpened(() => sqlite.open()), isStoppable: true, fuzzRuns: 300 })
