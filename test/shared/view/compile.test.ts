import { describeViewCompiler } from "../../contract/view-compiler.ts"
import { openNodeSqlite } from "../../support/node-sqlite.ts"

describeViewCompiler("node:sqlite", openNodeSqlite)
