import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import { loadSqlite } from "../../../client/state/sqlite.ts"
import { describeEqualFolds } from "../../contract/equal-folds.ts"
import { withOpened } from "../../contract/sql-database.ts"
import { describeViewCompiler } from "../../contract/view-compiler.ts"

const wasm = await loadSqlite(
  await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"))),
)

describeViewCompiler("node:sqlite", withOpened(openNodeSqlite))
describeEqualFolds("node:sqlite", withOpened(openNodeSqlite))
describeEqualFolds(
  "WASM in Node",
  withOpened(() => wasm.open()),
)
