import type { LocalDatabase } from "../../client/host.ts"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"

/** A database that counts how often each query has run, and calls `ran` after each. */
export function countingDatabase(ran: () => void = () => {}): {
  readonly database: LocalDatabase
  readonly runs: ReadonlyMap<string, number>
  /** Queries that were compiled and are not closed. */
  readonly open: () => number
} {
  const database = openNodeSqlite()
  const runs = new Map<string, number>()
  let open = 0
  const prepareQuery = database.prepareQuery?.bind(database)
  if (prepareQuery === undefined) throw new Error("Node's SQLite compiles queries under an authorizer")
  database.prepareQuery = (sql, authorizer, ms) => {
    const query = prepareQuery(sql, authorizer, ms)
    let isOpen = true
    open++
    return {
      columns: query.columns,
      all(values, bounds) {
        runs.set(sql, (runs.get(sql) ?? 0) + 1)
        const rows = query.all(values, bounds)
        ran()
        return rows
      },
      finalize() {
        if (isOpen) open--
        isOpen = false
        query.finalize()
      },
    }
  }
  return { database, runs, open: () => open }
}
