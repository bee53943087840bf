import { describeSqlDatabase } from "../../contract/sql-database.ts"
import { withDurableSqlite } from "./database.ts"

describeSqlDatabase("Durable Object", withDurableSqlite, { hasBegin: false })
