import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { loadSqlite } from "../../client/state/sqlite.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { describeQueries, describeRules } from "./queries.ts"
import { withOpened } from "./sql-database.ts"

const bytes = await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm")))
const sqlite = await loadSqlite(bytes)

const onWasm = withOpened(() => sqlite.open())
const onNode = withOpened(() => openNodeSqlite())
const onBareNode = withOpened((): SqlDatabase => {
  const database = openNodeSqlite()
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => database.prepare(sql),
    atomically: (work) => database.atomically(work),
    close: () => database.close(),
  }
})

describeQueries("WASM", { withDatabase: onWasm, isStoppable: true, fuzzRuns: 2_000 })
describeQueries("node:sqlite", { withDatabase: onNode, isStoppable: false, fuzzRuns: 2_000 })
describeRules("no authorizer", { withDatabase: onBareNode, isStoppable: false, fuzzRuns: 2_000 })
