import { describe, expect, test } from "vitest"
import { SQL_CONSTRAINT, SQL_ERROR, type SqlDatabase, SqlFailure, type SqlValue } from "../../shared/sql.ts"
import { scanSql } from "../../shared/sql-text.ts"

/** Runs `work` on an empty database, where that database is. */
export type WithDatabase = <T>(work: (database: SqlDatabase) => T) => Promise<T>

/** For databases that can be used wherever they were opened. */
export function withOpened(open: () => SqlDatabase | Promise<SqlDatabase>): WithDatabase {
  return async (work) => {
    const database = await open()
    try {
      return work(database)
    } finally {
      database.close()
    }
  }
}

/**
 * What every implementation of the port must do, so that one view gives the same rows in all of them. Those that have
 * BEGIN must do more.
 */
export function describeSqlDatabase(
  name: string,
  withDatabase: WithDatabase,
  { hasBegin }: { readonly hasBegin: boolean },
): void {
  describe(`SQL database contract: ${name}`, () => {
    const one: FirstRow = (sql, values = []) =>
      withDatabase((database) => [...(database.prepare(sql).all(values)[0] ?? [])])
    valueRules(one)
    numberRules(withDatabase)
    statementRules(withDatabase, one)
    refusalRules(withDatabase)
    transactionRules(withDatabase, hasBegin)
  })
}

type FirstRow = (sql: string, values?: readonly SqlValue[]) => Promise<SqlValue[]>

function valueRules(one: FirstRow): void {
  test.each([
    ["null", null, "null"],
    ["zero", 0, "integer"],
    ["a negative whole number", -7, "integer"],
    ["more than 32 bits", 2 ** 31, "integer"],
    ["the greatest safe whole number", Number.MAX_SAFE_INTEGER, "integer"],
    ["the least", Number.MIN_SAFE_INTEGER, "integer"],
    ["a bigint beyond it", 9_007_199_254_740_993n, "integer"],
    ["the greatest of 64 bits", 9_223_372_036_854_775_807n, "integer"],
    ["a fraction", 0.1, "real"],
    ["a whole number beyond the safe ones", 2 ** 60, "real"],
    ["infinity, which JSON writes as 1e400", Number.POSITIVE_INFINITY, "real"],
    ["an empty text", "", "text"],
    ["a short text", "it's", "text"],
    ["a zero character", "a\u0000b", "text"],
    ["characters of two, three and four bytes", "é\u20ac\u{1f30a}", "text"],
    ["a byte order mark", "\ufeffa", "text"],
    ["a text of 48 characters that ends beyond ASCII", `${"x".repeat(47)}é`, "text"],
    ["a text larger than any scratch buffer", "€".repeat(100_000), "text"],
    ["bytes", new Uint8Array([0, 255, 1]), "blob"],
    ["no bytes", new Uint8Array(), "blob"],
  ] as const)("[SQL1] %s comes back as it went in", async (_, value, type) => {
    expect((await one("SELECT ?, typeof(?1), length(?1)", [value])).slice(0, 2)).toEqual([value, type])
  })

  test("[SQL1] several texts of one run do not write over each other", async () => {
    const texts = ["short", "€".repeat(300), "x".repeat(20_000), "y".repeat(70_000), "end"]
    expect(await one("SELECT ?, ?, ?, ?, ?", texts)).toEqual(texts)
  })

  test("[SQL1] half a surrogate pair becomes the replacement character", async () => {
    expect(await one("SELECT ?", ["a\ud83cb"])).toEqual(["a\ufffdb"])
  })
}

function numberRules(withDatabase: WithDatabase): void {
  test("[SQL1] whole numbers keep affinity and index of what they are compared with", () =>
    withDatabase((database) => {
      database.exec("CREATE TABLE t (a TEXT PRIMARY KEY, b)")
      database.prepare("INSERT INTO t VALUES (?1, ?1), (?2, ?2)").run([7, 8.5])
      const types = database.prepare("SELECT typeof(a), a, typeof(b), b FROM t ORDER BY b").all([])
      expect(types).toEqual([
        ["text", "7", "integer", 7],
        ["text", "8.5", "real", 8.5],
      ])
      const find = (where: string, value: SqlValue) =>
        database.prepare(`SELECT b FROM t WHERE ${where}`).all([value])
      expect(find("a = ?", 7)).toEqual([[7]])
      expect(find("b = ?", "7")).toEqual([])
      expect(find("? + 0 = b", 7)).toEqual([[7]])
      expect(find("a || '' = ?", 7)).toEqual([])
      const plan = database.prepare("EXPLAIN QUERY PLAN SELECT b FROM t WHERE a = ?").all([7])
      expect(String(plan)).toMatch(/SEARCH t USING INDEX/)
    }))

  test("[SQL1] whole numbers of 64 bits are read exactly, in the columns that have some and beside others", () =>
    withDatabase((database) => {
      database.exec("CREATE TABLE t (a, b, c)")
      const insert = database.prepare("INSERT INTO t VALUES (?, ?, ?)")
      insert.run([9_007_199_254_740_993n, 2 ** 60, 1])
      insert.run([-5n, 9_223_372_036_854_775_807n, "x"])
      expect(database.prepare("SELECT a, a, b, c FROM t ORDER BY rowid").all([])).toEqual([
        [9_007_199_254_740_993n, 9_007_199_254_740_993n, 2 ** 60, 1],
        [-5, -5, 9_223_372_036_854_775_807n, "x"],
      ])
      const doubled = "WITH n (i) AS (VALUES (?)) SELECT i * 2 FROM n -- end"
      expect(database.prepare(doubled).all([2 ** 52])).toEqual([[2n ** 53n]])
    }))
}

function statementRules(withDatabase: WithDatabase, one: FirstRow): void {
  test.each([
    ["SELECT :b, :a, :b", [1, 2], [1, 2, 1]],
    ["SELECT ?, ?", [1, 2], [1, 2]],
    ["SELECT ?2, ?1", [1, 2], [2, 1]],
    ["SELECT ?2, :n, ?1", [1, 2, 3], [2, 3, 1]],
    [
      "SELECT ':no', :yes, \"t\".x -- :no\n, @at /* :no */, $dollar FROM (SELECT 9 AS x) AS t",
      [1, 2, 3],
      [":no", 1, 9, 2, 3],
    ],
  ])("[SQL2] %s numbers its parameters as scanSql says", async (sql, values, row) => {
    expect(scanSql(sql).parameters).toHaveLength(values.length)
    expect(await one(sql, values)).toEqual(row)
  })

  test("[SQL2] a parameter without a value is NULL, also after a run that gave it one", () =>
    withDatabase((database) => {
      const statement = database.prepare("SELECT :a, :b")
      expect(statement.all([1, "x"])).toEqual([[1, "x"]])
      expect(statement.all([2])).toEqual([[2, null]])
    }))

  test("[SQL2] what follows the first statement is not looked at", () =>
    withDatabase((database) => {
      expect(database.prepare("SELECT ? /* ; */; SELECT ?, ?; nonsense").all([1])).toEqual([[1]])
    }))

  test("[SQL3] a statement names its columns, and one without rows has none", () =>
    withDatabase((database) => {
      database.exec("CREATE TABLE t (a, b)")
      expect(database.prepare(`SELECT a, b AS "two words", ? FROM t LIMIT ?`).columns).toEqual([
        "a",
        "two words",
        "?",
      ])
      expect(database.prepare(`SELECT t.a, "a" FROM t -- end`).columns).toEqual(["a", "a"])
      expect(database.prepare(`SELECT a, 1 AS "a:1" FROM t`).columns).toEqual(["a", "a:1"])
      expect(database.prepare("INSERT INTO t VALUES (1, 2)").columns).toEqual([])
    }))

  test("[SQL9] a result too large to sort in a small cache is sorted all the same", async () => {
    const sql = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        SELECT i FROM n ORDER BY printf('%.200c%d', 'x', i * 7919 % 60000) LIMIT 1`
    expect(await one(sql)).toEqual([60_000])
  })
}

function refusalRules(withDatabase: WithDatabase): void {
  test("[SQL4] SQLite's refusal has its primary code and its words", () =>
    withDatabase((database) => {
      database.exec("CREATE TABLE t (a PRIMARY KEY)")
      const insert = database.prepare("INSERT INTO t VALUES (?)")
      insert.run([1])
      const refusal = failureOf(() => insert.run([1]))
      expect(refusal.code).toBe(SQL_CONSTRAINT)
      expect(refusal.message).toBe("UNIQUE constraint failed: t.a")
      expect(failureOf(() => database.prepare("SELECT nothing")).code).toBe(SQL_ERROR)
      expect(failureOf(() => database.exec("CREATE TABLE t (a)")).message).toContain("already exists")
      insert.run([2])
      expect(database.prepare("SELECT count(*) FROM t").all([])).toEqual([[2]])
    }))

  test("[SQL5] double quotes hold names, never strings", () =>
    withDatabase((database) => {
      expect(failureOf(() => database.prepare(`SELECT "text"`)).message).toContain("no such column")
      database.exec(`CREATE TABLE "a \`""table" ("the a"); INSERT INTO "a \`""table" VALUES ('"x"')`)
      expect(database.prepare(`SELECT "the a", '"' FROM "a \`""table"`).all([])).toEqual([['"x"', '"']])
      expect(failureOf(() => database.exec(`CREATE TABLE u (a CHECK (a <> "text"))`)).code).toBe(SQL_ERROR)
    }))
}

function transactionRules(withDatabase: WithDatabase, hasBegin: boolean): void {
  test("[SQL6] what atomically began and did not finish is undone, inner before outer", () =>
    withDatabase((database) => {
      database.exec(`CREATE TABLE t (a)${hasBegin ? "; BEGIN" : ""}`)
      const insert = database.prepare("INSERT INTO t VALUES (?)")
      database.atomically(() => {
        insert.run([1])
        expect(() =>
          database.atomically(() => {
            insert.run([2])
            throw new Error("no")
          }),
        ).toThrow("no")
        insert.run([3])
      })
      if (hasBegin) database.exec("COMMIT")
      expect(database.prepare("SELECT a FROM t").all([])).toEqual([[1], [3]])
    }))

  test.runIf(hasBegin)("[SQL7] a query that was read leaves nothing open that would block a ROLLBACK", () =>
    withDatabase((database) => {
      database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2); BEGIN; DELETE FROM t")
      const count = database.prepare("SELECT count(*) FROM t")
      expect(count.all([])).toEqual([[0]])
      database.exec("ROLLBACK")
      expect(count.all([])).toEqual([[2]])
    }),
  )

  test("[SQL8] two databases do not see each other, and closing is idempotent", async () => {
    await withDatabase((database) => database.exec("CREATE TABLE t (a)"))
    await withDatabase((other) => {
      expect(failureOf(() => other.prepare("SELECT * FROM t")).message).toContain("no such table")
      other.close()
      other.close()
    })
  })
}

function failureOf(work: () => unknown): SqlFailure {
  try {
    work()
  } catch (cause) {
    if (cause instanceof SqlFailure) return cause
    throw cause
  }
  throw new Error("nothing failed")
}
