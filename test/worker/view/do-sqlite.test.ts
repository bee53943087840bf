import { runInDurableObject } from "cloudflare:test"
import { env } from "cloudflare:workers"
import { expect, test } from "vitest"
import { SqlFailure } from "../../../shared/sql.ts"
import { openDurableSqlite } from "../../../worker/view/do-sqlite.ts"
import { BeyondLimits } from "../../../worker/view/read-limits.ts"
import { describeSqlDatabase } from "../../contract/sql-database.ts"
import { withDurableSqlite } from "./database.ts"

describeSqlDatabase("Durable Object", withDurableSqlite, { hasBegin: false })

test("[EVIEW12] of a query no more is read than it may bring, and what tells of its plan is not one", () =>
  runInDurableObject(env.STREAMS.getByName(crypto.randomUUID()), (_, { storage }) => {
    const all = openDurableSqlite(storage)
    all.exec("CREATE TABLE t (a); INSERT INTO t VALUES ('x'), ('yy'), ('zzz')")
    const open = (limits: object) =>
      openDurableSqlite(storage, { rowsMax: 3, bytesMax: 100, rowsReadMax: 100, ...limits })
    const read = (limits: object, sql = "SELECT a FROM t") => open(limits).prepare(sql).all([])
    expect(read({})).toHaveLength(3)
    expect(() => read({ rowsMax: 2 })).toThrow(BeyondLimits)
    expect(() => read({ bytesMax: 11 })).toThrow(BeyondLimits)
    expect(() => read({ rowsReadMax: 2 })).toThrow(BeyondLimits)
    expect(read({ rowsMax: 1 }, "SELECT count(*) FROM t")).toEqual([[3]])
    expect(read({ rowsMax: 1 }, "EXPLAIN SELECT a FROM t").length).toBeGreaterThan(1)
  }))

test("[SQL4] a statement that writes and answers rows is refused: it could not be told what it answers", () =>
  withDurableSqlite((database) => {
    database.exec("CREATE TABLE t (a)")
    expect(() => database.prepare("INSERT INTO t VALUES (1) RETURNING a")).toThrow(SqlFailure)
    expect(database.prepare("SELECT count(*) FROM t").all([])).toEqual([[0]])
  }))

test("[SQL2] whole numbers beyond 2^53 in rows that are others each time are those of one run", () =>
  withDurableSqlite((database) => {
    database.exec("CREATE TABLE t (a); INSERT INTO t SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9]')")
    const numbers = "WITH drawn AS MATERIALIZED (SELECT random() AS r FROM t)"
    const some = database.prepare(`${numbers} SELECT r, r + 1 FROM drawn WHERE r % 2 = 0`)
    for (let time = 0; time < 20; time++) {
      for (const [number, next] of some.all([]))
        expect(BigInt(next as bigint)).toBe(BigInt(number as bigint) + 1n)
    }
  }))
