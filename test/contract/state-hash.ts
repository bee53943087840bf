import { describe, expect, test } from "vitest"
import type { SqlDatabase, SqlValue } from "../../shared/sql.ts"
import { rowColumns, stateHash, tableLines } from "../../shared/view/state-hash.ts"

const digest = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>)) // no memory is shared

/** Each value and the line that it makes, the same in all engines. */
const VALUES: readonly (readonly [string, string, string])[] = [
  ["NULL", "NULL", "n"],
  ["integer 1", "1", "i1"],
  ["real 1.0", "1.0", "r3ff0000000000000"],
  ["real 0.0", "0.0", "r0000000000000000"],
  ["real -0.0", "0.0 * -1", "r8000000000000000"],
  ["the greatest integer", "9223372036854775807", "i9223372036854775807"],
  ["the least integer", "-9223372036854775807 - 1", "i-9223372036854775808"],
  ["an integer beyond doubles", "9007199254740993", "i9007199254740993"],
  ["the real beside it", "9007199254740992.0", "r4340000000000000"],
  ["infinity", "9e999", "r7ff0000000000000"],
  ["its negative", "-9e999", "rfff0000000000000"],
  ["the least real above zero", "5e-324", "r0000000000000001"],
  ["no text", "''", "t"],
  ["text", "'a,b'", "t612C62"],
  ["text of digits", "'1'", "t31"],
  ["text with NUL", "'a' || char(0) || 'b'", "t610062"],
  ["a half-broken text", "CAST(x'61ff' AS TEXT)", "t61FF"],
  ["a blob", "x'610062'", "b610062"],
  ["no bytes", "x''", "b"],
]

/** What the state hash promises, on one engine: the lines of all engines are the ones that stand here. */
export function describeStateHash(name: string, open: () => SqlDatabase): void {
  const filled = (...statements: string[]): SqlDatabase => {
    const database = open()
    for (const statement of statements) database.exec(statement)
    return database
  }
  const hashOf = async (database: SqlDatabase, ...tables: string[]) =>
    (await stateHash(database, tables, digest)).view

  describe(`state hash contract: ${name}`, () => {
    test.each(VALUES)("[VIEW15] %s makes its own line", (_, sql, line) => {
      const database = filled("CREATE TABLE t (a)", `INSERT INTO t VALUES (${sql})`)
      expect(tableLines(database, "t")).toEqual([line])
      database.close()
    })

    test("[VIEW15] any two of these values differ in the hash", async () => {
      const hashes = new Set<string>()
      for (const [, sql] of VALUES) {
        const database = filled("CREATE TABLE t (a, b)", `INSERT INTO t VALUES (1, ${sql})`)
        hashes.add(await hashOf(database, "t"))
        database.close()
      }
      expect(hashes.size).toBe(VALUES.length)
    })

    test("[VIEW15] rows and tables count in any order, and each row as often as it is there", async () => {
      const tables = ["CREATE TABLE t (a, b)", "CREATE TABLE u (a)"]
      const one = filled(...tables, "INSERT INTO t VALUES (1, 'x'), (2, 'y')", "INSERT INTO u VALUES (1)")
      const other = filled(...tables, "INSERT INTO u VALUES (1)", "INSERT INTO t VALUES (2, 'y'), (1, 'x')")
      expect(await stateHash(one, ["t", "u"], digest)).toEqual(await stateHash(other, ["u", "t"], digest))
      other.exec("INSERT INTO t VALUES (1, 'x')")
      expect(await hashOf(one, "t", "u")).not.toBe(await hashOf(other, "t", "u"))
    })

    test("[VIEW15] a value does not run over into the next column, row or table", async () => {
      const table = "CREATE TABLE t (a, b)"
      const databases = [
        filled(table, "INSERT INTO t VALUES ('a', 'b')"),
        filled(table, "INSERT INTO t VALUES ('a,tb', NULL)"),
        filled(table, "INSERT INTO t VALUES ('ab', '')"),
        filled(table, "INSERT INTO t VALUES ('a', ''), ('b', '')"),
        filled(table),
      ]
      const hashes = await Promise.all(databases.map((database) => hashOf(database, "t")))
      expect(new Set(hashes).size).toBe(databases.length)
      const twins = filled("CREATE TABLE t (a)", 'CREATE TABLE "é\n" (a)', "INSERT INTO t VALUES (1)")
      const swapped = filled("CREATE TABLE t (a)", 'CREATE TABLE "é\n" (a)', 'INSERT INTO "é\n" VALUES (1)')
      expect(await hashOf(twins, "t", "é\n")).not.toBe(await hashOf(swapped, "t", "é\n"))
    })

    test("[VIEW15] generated columns count; what FTS5 keeps behind a table does not", () => {
      const database = filled(
        "CREATE TABLE t (a, b AS (a + 1), c AS (a || 'x') STORED)",
        "INSERT INTO t VALUES (1)",
        "CREATE VIRTUAL TABLE words USING fts5(title, note UNINDEXED, prefix = 2)",
        "INSERT INTO words (rowid, title, note) VALUES (7, 'a', 1)",
        "INSERT INTO words (words) VALUES ('optimize')",
      )
      expect(tableLines(database, "t")).toEqual(["i1,i2,t3178"])
      expect(rowColumns(database, "words")).toEqual(["title", "note"])
      expect(tableLines(database, "words")).toEqual(["t61,i1"])
    })

    test("[VIEW15] text and blobs of a megabyte make the lines that short ones make", () => {
      const database = filled(
        "CREATE TABLE t (a)",
        "INSERT INTO t VALUES (zeroblob(700000)), (printf('%.*c', 700000, 'k'))",
      )
      expect(tableLines(database, "t")).toEqual([`b${"00".repeat(700_000)}`, `t${"6B".repeat(700_000)}`])
    })

    test("[VIEW15] what a statement binds is told apart like what SQL says", () => {
      const database = filled("CREATE TABLE t (a, b, c)")
      const values: SqlValue[] = [2 ** 53 - 1, 2 ** 53, 0.1]
      database.prepare("INSERT INTO t VALUES (?, ?, ?)").run(values)
      expect(tableLines(database, "t")).toEqual(["i9007199254740991,r4340000000000000,r3fb999999999999a"])
    })
  })
}
