import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import { loadSqlite } from "../../../client/state/sqlite.ts"
import { withOpened } from "../../contract/sql-database.ts"
import { describeStateHash } from "../../contract/state-hash.ts"

const wasm = await loadSqlite(
  await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"))),
)

describeStateHash("node:sqlite", withOpened(openNodeSqlite))
describeStateHash(
  "WASM",
  withOpened(() => wasm.open()),
)
