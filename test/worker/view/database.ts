import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { openDurableSqlite } from "../../../worker/view/do-sqlite.ts"
import type { WithDatabase } from "../../contract/sql-database.ts"

/** The storage of an object that has nothing yet. It can be used within that object alone. */
export const withDurableSqlite: WithDatabase = (work) =>
  runInDurableObject(env.STREAMS.getByName(crypto.randomUUID()), (_, { storage }) => {
    return work(openDurableSqlite(storage))
  })
