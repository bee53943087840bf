import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { describeSqlDatabase, withOpened } from "./sql-database.ts"

describeSqlDatabase("node:sqlite", withOpened(openNodeSqlite), { hasBegin: true })
