import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeSqlDatabase, withOpened } from "../../contract/sql-database.ts"

describeSqlDatabase(
  "WASM",
  withOpened(async () => (await loadSqlite()).open()),
  { hasBegin: true },
)
