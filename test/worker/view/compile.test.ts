import { describeViewCompiler } from "../../contract/view-compiler.ts"
import { withDurableSqlite } from "./database.ts"

describeViewCompiler("Durable Object", withDurableSqlite)
