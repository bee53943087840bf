import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { loadSqlite } from "../../client/state/sqlite.ts"
import { describeQueries, describeRules } from "./queries.ts"

const bytes = await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm")))
const sqlite = await loadSqlite(bytes)

describeQueries("WASM", { open: async () => sqlite.open(), isStoppable: true, fuzzRuns: 2_000 })
describeQueries("node:sqlite", { open: async () => openNodeSqlite(), isStoppable: false, fuzzRuns: 2_000 })
describeRules("an engine without an authorizer", {
  open: async () => {
    const database = openNodeSqlite()
    return {
      exec: (sql) => database.exec(sql),
      prepare: (sql) => database.prepare(sql),
      atomically: (work) => database.atomically(work),
      close: () => database.close(),
    }
  },
  isStoppable: false,
  fuzzRuns: 2_000,
})
