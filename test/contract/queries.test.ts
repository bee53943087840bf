import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import { loadSqlite } from "../../client/state/sqlite.ts"
import { describeQueries } from "./queries.ts"

const bytes = await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm")))
const sqlite = await loadSqlite(bytes)

describeQueries("WASM", { open: async () => sqlite.open(), isStoppable: true, fuzzRuns: 1_000 })
describeQueries("node:sqlite", { open: async () => openNodeSqlite(), isStoppable: false, fuzzRuns: 1_000 })
