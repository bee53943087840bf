import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { describeSqlDatabase } from "./sql-database.ts"

describeSqlDatabase("node:sqlite", async () => openNodeSqlite())
