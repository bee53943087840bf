import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeSqlDatabase } from "../../contract/sql-database.ts"

describeSqlDatabase("WASM", async () => (await loadSqlite()).open())
