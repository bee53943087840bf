import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { SQL_CONSTRAINT, SQL_ERROR, type SqlDatabase, SqlFailure, type SqlValue } from "../../shared/sql.ts"
import { scanSql } from "../../shared/sql-text.ts"

/** What every implementation of the port must do, so that one view gives the same rows in all of them. */
export function describeSqlDatabase(name: string, open: () => Promise<SqlDatabase>): void {
  describe(`SQL database contract: ${name}`, () => {
    let database: SqlDatabase

    beforeEach(async () => {
      database = await open()
    })
    afterEach(() => database.close())

    const one = (sql: string, values: readonly SqlValue[] = []): SqlValue[] => [
      ...(database.prepare(sql).all(values)[0] ?? []),
    ]

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
    ] as const)("[SQL1] %s comes back as it went in", (_, value, type) => {
      expect(one("SELECT ?, typeof(?1), length(?1)", [value]).slice(0, 2)).toEqual([value, type])
    })

    test("[SQL1] several texts of one run do not write over each other", () => {
      const texts = ["short", "€".repeat(300), "x".repeat(20_000), "y".repeat(70_000), "end"]
      expect(one("SELECT ?, ?, ?, ?, ?", texts)).toEqual(texts)
    })

    test("[SQL1] half a surrogate pair becomes the replacement character", () => {
      expect(one("SELECT ?", ["a\ud83cb"])).toEqual(["a\ufffdb"])
    })

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
    ])("[SQL2] %s numbers its parameters as scanSql says", (sql, values, row) => {
      expect(scanSql(sql).parameters).toHaveLength(values.length)
      expect(one(sql, values)).toEqual(row)
    })

    test("[SQL2] a parameter without a value is NULL, also after a run that gave it one", () => {
      const statement = database.prepare("SELECT :a, :b")
      expect(statement.all([1, "x"])).toEqual([[1, "x"]])
      expect(statement.all([2])).toEqual([[2, null]])
    })

    test("[SQL3] a statement names its columns, and one without rows has none", () => {
      database.exec("CREATE TABLE t (a, b)")
      expect(database.prepare(`SELECT a, b AS "two words" FROM t`).columns).toEqual(["a", "two words"])
      expect(database.prepare("INSERT INTO t VALUES (1, 2)").columns).toEqual([])
    })

    test("[SQL4] SQLite's refusal has its primary code and its words", () => {
      database.exec("CREATE TABLE t (a PRIMARY KEY)")
      const insert = database.prepare("INSERT INTO t VALUES (?)")
      insert.run([1])
      const refusal = failureOf(() => insert.run([1]))
      expect(refusal.code).toBe(SQL_CONSTRAINT)
      expect(refusal.message).toContain("UNIQUE constraint failed: t.a")
      expect(failureOf(() => database.prepare("SELECT nothing")).code).toBe(SQL_ERROR)
      expect(failureOf(() => database.exec("CREATE TABLE t (a)")).message).toContain("already exists")
      insert.run([2])
      expect(one("SELECT count(*) FROM t")).toEqual([2])
    })

    test("[SQL5] double quotes hold names, never strings", () => {
      expect(failureOf(() => database.prepare(`SELECT "text"`)).message).toContain("no such column")
    })

    test("[SQL6] what atomically began and did not finish is undone, inner before outer", () => {
      database.exec("CREATE TABLE t (a); BEGIN")
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
      database.exec("COMMIT")
      expect(database.prepare("SELECT a FROM t").all([])).toEqual([[1], [3]])
    })

    test("[SQL7] a query that was read leaves nothing open that would block a ROLLBACK", () => {
      database.exec("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2); BEGIN; DELETE FROM t")
      const count = database.prepare("SELECT count(*) FROM t")
      expect(count.all([])).toEqual([[0]])
      database.exec("ROLLBACK")
      expect(count.all([])).toEqual([[2]])
    })

    test("[SQL8] two databases do not see each other, and closing is idempotent", async () => {
      const other = await open()
      other.exec("CREATE TABLE t (a)")
      expect(failureOf(() => database.prepare("SELECT * FROM t")).message).toContain("no such table")
      other.close()
      other.close()
    })

    test("[SQL9] a result too large to sort in a small cache is sorted all the same", () => {
      const sql = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
        SELECT i FROM n ORDER BY printf('%.200c%d', 'x', i * 7919 % 60000) LIMIT 1`
      expect(one(sql)).toEqual([60_000])
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
