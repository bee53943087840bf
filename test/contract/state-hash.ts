import { describe, expect, test } from "vitest"
import type { SqlDatabase } from "../../shared/sql.ts"
import { rowColumns, stateHash, tableLines } from "../../shared/view/state-hash.ts"
import type { WithDatabase } from "./sql-database.ts"

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

type Ask = {
  lines(...statements: string[]): Promise<string[]>
  hash(tables: readonly string[], ...statements: string[]): Promise<string>
}

/** What the state hash promises, on one engine: the lines of all engines are the ones that stand here. */
export function describeStateHash(name: string, withDatabase: WithDatabase): void {
  const filled = (database: SqlDatabase, statements: readonly string[]): SqlDatabase => {
    for (const statement of statements) database.exec(statement)
    return database
  }
  const ask: Ask = {
    lines: (...statements) => withDatabase((database) => tableLines(filled(database, statements), "t")),
    async hash(tables, ...statements) {
      // what an engine hashes is gathered before the database is closed
      const hashing = await withDatabase((database) => ({
        done: stateHash(filled(database, statements), tables, digest),
      }))
      return (await hashing.done).view
    },
  }
  describe(`state hash contract: ${name}`, () => {
    lineRules(ask, withDatabase)
    hashRules(ask)
  })
}

function lineRules({ lines }: Ask, withDatabase: WithDatabase): void {
  test.each(VALUES)("[VIEW15] %s makes its own line", async (_, sql, line) => {
    expect(await lines("CREATE TABLE t (a)", `INSERT INTO t VALUES (${sql})`)).toEqual([line])
  })

  test("[VIEW15] generated columns count; what FTS5 keeps behind a table does not", async () => {
    const table = "CREATE TABLE t (a, b AS (a + 1), c AS (a || 'x') STORED)"
    expect(await lines(table, "INSERT INTO t VALUES (1)")).toEqual(["i1,i2,t3178"])
    const words = "CREATE VIRTUAL TABLE t USING fts5(title, note UNINDEXED, prefix = 2)"
    const insert = "INSERT INTO t (rowid, title, note) VALUES (7, 'a', 1)"
    expect(await lines(words, insert, "INSERT INTO t (t) VALUES ('optimize')")).toEqual(["t61,i1"])
    const columns = await withDatabase((database) => {
      database.exec(words)
      return rowColumns(database, "t")
    })
    expect(columns).toEqual(["title", "note"])
  })

  test("[VIEW15] text and blobs of a megabyte make the lines that short ones make", async () => {
    const values = "(zeroblob(700000)), (hex(zeroblob(350000)))"
    const [blob, text] = await lines("CREATE TABLE t (a)", `INSERT INTO t VALUES ${values}`)
    const short = (line: string | undefined) =>
      line?.replace(/(..)\1+$/, (all, byte) => `${byte} x ${all.length / 2}`)
    expect([short(blob), short(text)]).toEqual(["b00 x 700000", "t30 x 700000"])
  })

  test("[VIEW15] what a statement binds is told apart like what SQL says", async () => {
    const bound = await withDatabase((database) => {
      database.exec("CREATE TABLE t (a, b, c)")
      database.prepare("INSERT INTO t VALUES (?, ?, ?)").run([2 ** 53 - 1, 2 ** 53, 0.1])
      return tableLines(database, "t")
    })
    expect(bound).toEqual(["i9007199254740991,r4340000000000000,r3fb999999999999a"])
  })
}

function hashRules({ hash }: Ask): void {
  test("[VIEW15] any two of these values differ in the hash", async () => {
    const hashes = new Set<string>()
    for (const [, sql] of VALUES) {
      hashes.add(await hash(["t"], "CREATE TABLE t (a, b)", `INSERT INTO t VALUES (1, ${sql})`))
    }
    expect(hashes.size).toBe(VALUES.length)
  })

  test("[VIEW15] rows and tables count in any order, and each row as often as it is there", async () => {
    const tables = ["CREATE TABLE t (a, b)", "CREATE TABLE u (a)"]
    const one = ["INSERT INTO t VALUES (1, 'x'), (2, 'y')", "INSERT INTO u VALUES (1)"]
    const other = ["INSERT INTO u VALUES (1)", "INSERT INTO t VALUES (2, 'y'), (1, 'x')"]
    const first = await hash(["t", "u"], ...tables, ...one)
    expect(await hash(["u", "t"], ...tables, ...other)).toBe(first)
    expect(await hash(["t", "u"], ...tables, ...other, "INSERT INTO t VALUES (1, 'x')")).not.toBe(first)
  })

  test("[VIEW15] a value does not run over into the next column, row or table", async () => {
    const rows = ["('a', 'b')", "('a,tb', NULL)", "('ab', '')", "('a', ''), ('b', '')"]
    const hashes = new Set([await hash(["t"], "CREATE TABLE t (a, b)")])
    for (const row of rows)
      hashes.add(await hash(["t"], "CREATE TABLE t (a, b)", `INSERT INTO t VALUES ${row}`))
    expect(hashes.size).toBe(rows.length + 1)
    const twins = ["CREATE TABLE t (a)", 'CREATE TABLE "é\n" (a)']
    const names = ["t", "é\n"]
    expect(await hash(names, ...twins, "INSERT INTO t VALUES (1)")).not.toBe(
      await hash(names, ...twins, 'INSERT INTO "é\n" VALUES (1)'),
    )
  })
}
