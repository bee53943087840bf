import { describe, expect, test } from "vitest"
import { HeadwaterError } from "../../shared/errors.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { WithDatabase } from "./sql-database.ts"

const ORDERS = "CREATE TABLE orders (id TEXT PRIMARY KEY, sku TEXT, quantity INTEGER) STRICT"
const INSERT = "INSERT INTO orders VALUES (:order, :sku, :quantity)"

const withHandler = (...statements: string[]): ViewData => ({
  orders: { tables: [ORDERS], on: { "order.placed": statements } },
  products: { tables: ["CREATE TABLE products (sku TEXT PRIMARY KEY, name TEXT) STRICT"], on: {} },
})

const withTables = (...tables: string[]): ViewData => ({
  first: { tables: ["CREATE TABLE first (a)"], on: {} },
  orders: { tables, on: {} },
})

/** What a view may be, as each engine's own programs tell it. */
export function describeViewCompiler(name: string, withDatabase: WithDatabase): void {
  const compile: Compile = (view) => withDatabase((database) => compileView(database, "shop", view))

  async function refusalOf(view: ViewData): Promise<string> {
    try {
      await compile(view)
    } catch (cause) {
      if (cause instanceof HeadwaterError && cause.code === "invalid-view") return cause.message
      throw cause
    }
    return "accepted"
  }

  describe(`view compiler contract: ${name}`, () => {
    handlerRules(refusalOf)
    partRules(refusalOf)
    functionRules(refusalOf)
    tableRules(refusalOf, withDatabase)
    indexRules(refusalOf)
    parameterRules(refusalOf, compile)
  })
}

type Compile = (view: ViewData) => Promise<CompiledView>
type RefusalOf = (view: ViewData) => Promise<string>

/** An engine that has less than others refuses in its own words what the compiler would refuse in ours. */
function expectWords(refusal: string, words: string | RegExp): void {
  if (typeof words === "string") expect(refusal).toContain(words)
  else expect(refusal).toMatch(words)
}

function handlerRules(refusalOf: RefusalOf): void {
  describe("[VIEW1] a handler is one statement that writes its own source's tables", () => {
    test.each([
      [INSERT],
      ["INSERT INTO orders VALUES (:order, :sku, :quantity) ON CONFLICT DO NOTHING; -- the end"],
      ["INSERT OR REPLACE INTO orders (id) VALUES (:order)"],
      ["UPDATE orders SET quantity = quantity + :more WHERE id = :order"],
      ["DELETE FROM orders"],
      ["WITH gone AS (SELECT :order AS id) DELETE FROM orders WHERE id IN (SELECT id FROM gone)"],
      ["INSERT INTO orders SELECT value ->> 'id', value ->> 'sku', 1 FROM json_each(:lines)"],
      [
        "UPDATE orders SET sku = upper(sku) WHERE id LIKE :a AND quantity > (SELECT avg(quantity) FROM orders)",
      ],
    ])("accepts %s", async (sql) => {
      expect(await refusalOf(withHandler(sql))).toBe("accepted")
    })

    test.each([
      ["", "expected one statement; got none"],
      ["  -- nothing", "expected one statement; got none"],
      ["; DELETE FROM orders", "expected one statement; got none"],
      ["DELETE FROM orders; DELETE FROM orders", "several go into an array"],
      ["DELETE FROM orders; nonsense", "several go into an array"],
      ["DELETE FROM 'orders", "a text that cannot be read at character 13"],
      ["DELETE FROM orders \u0000; DROP TABLE orders", "a text that cannot be read"],
      ["DELETE FROM order_s", "no such table: order_s"],
      ["DELETE FROM", "incomplete input"],
      ["INSERT INTO orders (colour) VALUES (1)", "no column named colour"],
      ["SELECT * FROM orders", `expected INSERT, UPDATE or DELETE; got "SELECT * FROM orders"`],
      ["WITH x AS (SELECT 1) SELECT * FROM x", "expected a statement that writes a table"],
      ["PRAGMA journal_mode = OFF", "expected INSERT, UPDATE or DELETE"],
      ["ATTACH 'file' AS other", "expected INSERT, UPDATE or DELETE"],
      ["COMMIT", "expected INSERT, UPDATE or DELETE"],
      ["SAVEPOINT x", "expected INSERT, UPDATE or DELETE"],
      ["CREATE TABLE more (a)", "expected INSERT, UPDATE or DELETE"],
      ["DROP TABLE orders", "expected INSERT, UPDATE or DELETE"],
      ["VACUUM", "expected INSERT, UPDATE or DELETE"],
      [
        "DELETE FROM products",
        `only tables of its own source (orders); got a statement that uses "products"`,
      ],
      ["INSERT INTO orders SELECT sku, name, 1 FROM products", `a statement that uses "products"`],
      ["UPDATE orders SET sku = (SELECT max(name) FROM products)", `a statement that uses "products"`],
      ["DELETE FROM orders WHERE EXISTS (SELECT 1 FROM products WHERE sku = 'x')", `uses "products"`],
      ["INSERT INTO orders SELECT name, sql, 1 FROM sqlite_master", `a statement that uses "sqlite_schema"`],
      ["INSERT INTO orders SELECT name, 1, 1 FROM pragma_table_list", "json_each and json_tree"],
      [
        "INSERT INTO orders SELECT key, 1, 1 FROM json_each(:a), pragma_function_list",
        "json_each and json_tree",
      ],
      ["INSERT INTO orders SELECT name, 1, 1 FROM dbstat", /json_each and json_tree|no such table: dbstat/],
      ["DELETE FROM orders RETURNING id", "answers no rows; got RETURNING"],
      ["INSERT OR ROLLBACK INTO orders VALUES (:order, :sku, 1)", "ON CONFLICT ROLLBACK or FAIL"],
      ["INSERT OR FAIL INTO orders VALUES (:order, :sku, 1)", "ON CONFLICT ROLLBACK or FAIL"],
      [`INSERT INTO orders VALUES ("x", 1, 1)`, "no such column"],
      [`DELETE FROM orders WHERE id = '${"x".repeat(40_000)}'`, "at most 30000 characters"],
    ])("refuses %j", async (sql, message) => {
      expectWords(await refusalOf(withHandler(sql)), message)
    })

    test("the refusal names view, source, event type and statement", async () => {
      expect(await refusalOf(withHandler(INSERT, "DELETE FROM products"))).toBe(
        `View "shop", source "orders", event "order.placed", statement 2: expected only tables of its own ` +
          `source (orders); got a statement that uses "products".`,
      )
    })
  })
}

function partRules(refusalOf: RefusalOf): void {
  test("[VIEW33] of parts that read one another no more is written out than can be", async () => {
    const parts = Array.from({ length: 30 }, (_, at) => `a${at + 1} AS (SELECT l.x FROM a${at} l, a${at} r)`)
    const sql = `WITH a0 AS (SELECT 1 AS x), ${parts.join(", ")} INSERT INTO orders (id) SELECT x FROM a30`
    expect(await refusalOf(withHandler(sql))).toContain("at most 1000 copies")
  })
}

function functionRules(refusalOf: RefusalOf): void {
  describe("[VIEW2] a handler calls only what answers alike on every device and at any time", () => {
    test.each([
      ["random()"],
      ["hex(randomblob(4))"],
      ["last_insert_rowid()"],
      ["changes()"],
      ["total_changes()"],
      ["sqlite_version()"],
      ["current_timestamp"],
      ["CURRENT_DATE"],
      ["pow(2.5, 0.3)"],
      ["datetime()"],
      ["datetime('now')"],
      ["DATETIME ( 'NOW' )"],
      ["\"datetime\"(/* then */ 'now')"],
      ["unixepoch('subsec')"],
      ["strftime('%Y')"],
      ["strftime('%Y', 'now')"],
      ["strftime('%Y', 'n' || 'ow')"],
      ["date(sku)"],
      ["date(:at, 'localtime')"],
      ["date(:at, ' UTC ')"],
      ["date(:at, :modifier)"],
      ["timediff(:at, 'now')"],
      ["(SELECT date('now'))"],
      ["CASE WHEN :a THEN 1 ELSE random() END"],
    ])("refuses %s", async (expression) => {
      const message = await refusalOf(withHandler(`UPDATE orders SET sku = ${expression}`))
      expect(message).toMatch(
        /^View "shop", source "orders", event "order.placed", statement 1: expected ((date )?functions|.*not auth)/,
      )
    })

    test.each([
      ["date(:at)"],
      ["strftime('%Y-%m', :event_time, '-1 day')"],
      ["unixepoch('2024-01-01')"],
      ["julianday(2460000.5) + datetime(-1, 'unixepoch')"],
      ["timediff(:to, :at)"],
      ["'date(''now'')' || round(:a, 2) || sqrt(4) || printf('%05d', :a)"],
      ["json_set(sku, '$.a', :a) ->> '$.a'"],
    ])("accepts %s", async (expression) => {
      expect(await refusalOf(withHandler(`UPDATE orders SET sku = ${expression}`))).toBe("accepted")
    })

    test("order by chance is found where it hides", async () => {
      const sql = "DELETE FROM orders WHERE id IN (SELECT id FROM orders ORDER BY random() LIMIT 1)"
      expect(await refusalOf(withHandler(sql))).toContain("got random")
    })
  })
}

function tableRules(refusalOf: RefusalOf, withDatabase: WithDatabase): void {
  describe("[VIEW3] tables are plain tables and indexes, each of one source", () => {
    test.each([
      [
        [
          "CREATE TABLE t (a TEXT NOT NULL DEFAULT 'x' CHECK (a < 'y'), b AS (a || a), c AS (date(a)) STORED)",
        ],
      ],
      [["CREATE TABLE t (a TEXT PRIMARY KEY, b ANY) WITHOUT ROWID, STRICT"]],
      [["create table `t` (a)", 'CREATE UNIQUE INDEX "by a" ON T (lower(a)) WHERE a > 1']],
      [["CREATE TABLE [a table] (a); -- the end"]],
    ])("accepts %j", async (tables) => {
      expect(await refusalOf(withTables(...tables))).toBe("accepted")
    })

    test.each([
      ["CREATE TABLE t (a", "incomplete input"],
      ["CREATE TABLE t (a); DROP TABLE first", "more than one in a text"],
      ["CREATE TABLE t AS SELECT random() AS a", "CREATE TABLE name (...)"],
      ["CREATE TABLE IF NOT EXISTS t (a)", "CREATE TABLE name (...)"],
      ["CREATE TABLE main.t (a)", "CREATE TABLE name (...)"],
      ["CREATE TABLE temp.t (a)", "CREATE TABLE name (...)"],
      ["CREATE TEMP TABLE t (a)", "CREATE TABLE name (...)"],
      ["CREATE TABLE t (a, b AS (date(a)))", "STORED for a generated column that calls a function; got date"],
      ["CREATE TABLE t (a, b AS (a ->> 'x') VIRTUAL)", "STORED for a generated column that calls a function"],
      ["CREATE TABLE t (a, b AS (pow(a, 2)) STORED)", "got pow"],
      ["CREATE TABLE t (a, RowId)", "columns with names of their own; got rowid"],
      ["CREATE TABLE t (a CHECK (a > (SELECT 1)))", "subqueries prohibited in CHECK"],
      ["CREATE TABLE t (a DEFAULT (SELECT random()))", "SQLite says"],
      ["CREATE TABLE t (a DEFAULT (sqlite_version()))", "expected "],
      [
        `CREATE TABLE t (${Array.from({ length: 91 }, (_, at) => `c${at}`).join(", ")})`,
        "at most 90 columns; got 91",
      ],
      ["CREATE VIEW t AS SELECT 1", "CREATE TABLE name (...)"],
      ["CREATE TRIGGER t AFTER INSERT ON first BEGIN SELECT 1; END", "more than one in a text"],
      ["PRAGMA user_version = 1", "CREATE TABLE name (...)"],
      ["DROP TABLE first", "CREATE TABLE name (...)"],
      ["CREATE TABLE First (a)", `a new table "First"; got that name, of source "first"`],
      ["CREATE INDEX i ON first (a)", `a table "first" of this source; got that name, of source "first"`],
      ["CREATE INDEX i ON nothing (a)", "no table of that name"],
      ["CREATE TABLE sqlite_x (a)", "reserved"],
      ["CREATE TABLE _cf_x (a)", "reserved"],
      ["CREATE TABLE headwater_x (a)", "reserved"],
      ["CREATE TABLE t (a REFERENCES first (a))", "got REFERENCES"],
      ["CREATE TABLE t (a, FOREIGN KEY (a) REFERENCES first (a))", "got FOREIGN"],
      ["CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)", "got AUTOINCREMENT"],
      ["CREATE TABLE t (a DEFAULT (random()))", "got random"],
      ["CREATE TABLE t (a DEFAULT CURRENT_TIMESTAMP)", "got current_timestamp"],
      ["CREATE TABLE t (a DEFAULT (datetime('now')))", "a date in a DEFAULT"],
      ["CREATE TABLE t (a CHECK (a > random()))", "got random"],
      ["CREATE TABLE t (a, b AS (random()))", "non-deterministic"],
      ["CREATE TABLE t (a, b AS (changes()) STORED)", "non-deterministic"],
    ])("refuses %s", async (sql, message) => {
      const refusal = await refusalOf(withTables(sql))
      expect(refusal).toContain(message)
      expect(refusal).toContain(`View "shop", source "orders", table statement 1: expected `)
    })

    test("a CHECK or generated column that asks for the time fails with its first row everywhere", () =>
      withDatabase((database) => {
        compileView(database, "shop", withTables("CREATE TABLE t (a, b AS (date('now')) STORED)"))
        expect(() => database.exec("INSERT INTO t (a) VALUES (1)")).toThrow("non-deterministic use of date()")
      }))
  })
}

function indexRules(refusalOf: RefusalOf): void {
  describe("[VIEW3] an index calls what its table may call", () => {
    test.each([
      ["(pow(a, 2))", "got pow"],
      ["(a) WHERE exp(a) > 1", "got exp"],
      ["(random())", "non-deterministic"],
      ["(a) WHERE a > (SELECT 1)", "subqueries prohibited"],
      ["(a) WHERE a LIKE b", "LIKE or GLOB with a constant of at most 50 bytes; got LIKE b"],
    ])("refuses an index on t %s", async (what, message) => {
      const refusal = await refusalOf(withTables("CREATE TABLE t (a, b)", `CREATE INDEX i ON t ${what}`))
      expect(refusal).toContain(message)
      expect(refusal).toContain(`View "shop", source "orders", table statement 2: expected `)
    })
  })
}

function parameterRules(refusalOf: RefusalOf, compile: Compile): void {
  describe("[VIEW4] parameters are :names, of the data or of the event", () => {
    test("positions follow SQLite's numbering", async () => {
      const compiled = await compile(
        withHandler("INSERT INTO orders VALUES (:event_id, :sku, length(:event_id) + :n)"),
      )
      const parameters = compiled.sources[0]?.handlers.get("order.placed")?.[0]?.parameters
      expect(parameters?.map(({ name, attribute }) => [name, attribute])).toEqual([
        ["event_id", "event_id"],
        ["sku", undefined],
        ["n", undefined],
      ])
    })

    test.each([
      ["?", "expected parameters such as :name; got ?."],
      ["?3", "expected parameters such as :name; got ?."],
      ["$sku", "expected parameters such as :name; got $sku."],
      ["@sku", "expected parameters such as :name; got @sku."],
      [":event_offset", "event_subject, event_stream; got event_offset."],
      [
        `1 IN (${Array.from({ length: 101 }, (_, at) => `:p${at}`).join(", ")})`,
        /at most 100 parameters; got 101.|too many SQL variables/,
      ],
    ])("refuses %s", async (parameter, message) => {
      expectWords(await refusalOf(withHandler(`UPDATE orders SET sku = ${parameter}`)), message)
    })
  })

  test("[VIEW5] a compiled view says which tables each statement writes", async () => {
    const compiled = await compile(withHandler(INSERT, "DELETE FROM orders WHERE quantity = 0"))
    expect(compiled.sources.map(({ name, tables }) => [name, tables])).toEqual([
      ["orders", ["orders"]],
      ["products", ["products"]],
    ])
    expect(compiled.sources[0]?.handlers.get("order.placed")?.map(({ writes }) => writes)).toEqual([
      ["orders"],
      ["orders"],
    ])
  })
}
