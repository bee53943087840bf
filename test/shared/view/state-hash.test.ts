import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeStateHash } from "../../contract/state-hash.ts"
import { openNodeSqlite } from "../../support/node-sqlite.ts"

const wasm = await loadSqlite(
  await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"))),
)

describeStateHash("node:sqlite", openNodeSqlite)
describeStateHash("WASM", () => wasm.open())
