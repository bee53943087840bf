import { describe, expect, test } from "vitest"
import { HeadwaterError } from "../../shared/errors.ts"
import { parseStreamPath } from "../../shared/ids.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import { ViewFold } from "../../shared/view/fold.ts"
import { readCatalog } from "../../shared/view/program.ts"
import { compileQuery } from "../../shared/view/query.ts"
import { tableLines } from "../../shared/view/state-hash.ts"
import type { WithDatabase } from "./sql-database.ts"

const TABLES = [
  "CREATE TABLE notes (id INTEGER PRIMARY KEY, board TEXT, text TEXT, time INTEGER)",
  "CREATE TABLE loose (a, b)",
  "CREATE VIRTUAL TABLE words USING fts5(text, board UNINDEXED)",
]

const withHandler = (...statements: string[]): ViewData => ({
  notes: { tables: TABLES, on: { noted: statements } },
  others: {
    tables: ["CREATE TABLE others (a)", "CREATE VIRTUAL TABLE foreign_words USING fts5(a)"],
    on: {},
  },
})

type RefusalOf = (...statements: string[]) => Promise<string>

/**
 * What keeps equal events from giving other rows elsewhere, as each engine's own programs tell it.
 *
 * @param tooLong So many characters more than 1,999,000 are too many for a value here.
 */
export function describeEqualFolds(name: string, withDatabase: WithDatabase, tooLong = 2_000): void {
  const refusalOf: RefusalOf = (...statements) => refusalOfView(withDatabase, withHandler(...statements))
  describe(`equal folds contract: ${name}`, () => {
    searchRules(refusalOf)
    searchTables(withDatabase)
    orderRules(refusalOf)
    keyRules(refusalOf, withDatabase)
    patternRules(refusalOf, withDatabase, tooLong)
  })
}

function refusalOfView(withDatabase: WithDatabase, view: ViewData): Promise<string> {
  return withDatabase((database) => {
    try {
      compileView(database, "board", view)
      return "accepted"
    } catch (cause) {
      if (cause instanceof HeadwaterError && cause.code === "invalid-view") return cause.message
      throw cause
    }
  })
}

/** Folds events with these data, and answers what halted and whatever is asked of the rows then. */
function folded<T>(
  withDatabase: WithDatabase,
  view: ViewData,
  data: readonly object[],
  ask: (database: SqlDatabase, compiled: CompiledView) => T,
): Promise<{ readonly halts: readonly string[]; readonly found: T }> {
  return withDatabase((database) => {
    const compiled = compileView(database, "board", view)
    const paths = Object.fromEntries(Object.keys(view).map((source) => [source, "a/b"]))
    const fold = new ViewFold(database, compiled, paths)
    const messages = data.map((datum, at) => ({
      id: `e${at}`,
      type: "noted",
      source: "s",
      time: "t",
      data: datum,
    }))
    fold.fold({ stream: parseStreamPath("a/b"), messages })
    const halts = [...fold.halts.values()].map((halt) => halt.message)
    fold.close()
    return { halts, found: ask(database, compiled) }
  })
}

const keysOf = (database: SqlDatabase) => tableLines(database, "notes").map((line) => line.split(",")[0])

function searchRules(refusalOf: RefusalOf): void {
  describe("[VIEW16] FTS5 tables belong to a source like others", () => {
    test.each([
      ["INSERT INTO words VALUES (:text, :board)"],
      ["INSERT INTO words (rowid, text) VALUES (:id, :text)"],
      ["INSERT OR REPLACE INTO words (rowid, text) VALUES (:id, :text)"],
      ["UPDATE words SET text = :text WHERE rowid = :id"],
      ["DELETE FROM words WHERE board = :board"],
      ["INSERT INTO words (rowid, text) SELECT id, text FROM notes WHERE board = :board"],
      ["UPDATE notes SET text = (SELECT text FROM words WHERE rowid = :id) WHERE id = :id"],
    ])("accepts %s", async (sql) => {
      expect(await refusalOf(sql)).toBe("accepted")
    })

    test.each([
      ["INSERT INTO foreign_words VALUES ('x')", `a statement that uses "foreign_words"`],
      ["UPDATE notes SET text = (SELECT a FROM foreign_words)", `a statement that uses "foreign_words"`],
      [
        "DELETE FROM words_content",
        "SQLite says: table words_content may not be modified|FTS5 tables and not what",
      ],
      ["UPDATE notes SET text = (SELECT c0 FROM words_content WHERE id = 1)", "not what is kept behind them"],
      [
        "UPDATE notes SET text = 'x' WHERE id IN (SELECT rowid FROM words WHERE words MATCH :q)",
        "MATCH or rank",
      ],
      ["UPDATE notes SET text = 'x' WHERE id IN (SELECT rowid FROM words(:q))", "MATCH or rank"],
      ["UPDATE notes SET text = (SELECT rank FROM words WHERE rowid = 1)", "MATCH or rank"],
      ["UPDATE notes SET text = (SELECT bm25(words) FROM words WHERE words = 'a')", "MATCH or rank"],
      ["INSERT INTO words (words) VALUES ('optimize')", "an order to FTS5"],
      ["INSERT INTO words (text, words) SELECT 1, 'rebuild'", "an order to FTS5"],
      ["INSERT OR FAIL INTO words (rowid, text) VALUES (:id, :text)", "ON CONFLICT ROLLBACK or FAIL"],
      ["INSERT OR ROLLBACK INTO words (rowid, text) VALUES (:id, :text)", "ON CONFLICT ROLLBACK or FAIL"],
      ["UPDATE notes SET id = (SELECT id FROM json_each(:a))", "id or parent"],
      ["INSERT INTO loose SELECT parent, 1 FROM json_tree(:a)", "id or parent"],
    ])("refuses %s", async (sql, message) => {
      expect(await refusalOf(sql)).toMatch(new RegExp(message))
    })
  })
}

function searchTables(withDatabase: WithDatabase): void {
  describe("[VIEW16] what makes an FTS5 table, and what is known of its use", () => {
    test.each([
      ["CREATE VIRTUAL TABLE t USING fts5(a, content = '')", "an FTS5 table that keeps its own content"],
      ["CREATE VIRTUAL TABLE t USING fts5(a, content = 'first')", "an FTS5 table that keeps its own content"],
      ["CREATE VIRTUAL TABLE t USING fts5(a, tokenize = 'nonsense')", "SQLite says"],
      ["CREATE VIRTUAL TABLE t USING fts4(a)", "USING fts5"],
      ["CREATE VIRTUAL TABLE t USING rtree(id, a, b)", "USING fts5"],
      ["CREATE VIRTUAL TABLE t USING fts5vocab(first, row)", "USING fts5"],
      ["CREATE VIRTUAL TABLE IF NOT EXISTS t USING fts5(a)", "USING fts5"],
      ["CREATE VIRTUAL TABLE temp.t USING fts5(a)", "USING fts5"],
    ])("refuses %s", async (sql, message) => {
      const view = { first: { tables: ["CREATE TABLE first (a)", sql], on: {} } }
      expect(await refusalOfView(withDatabase, view)).toContain(message)
    })

    test("[VIEW5] writes and reads of FTS5 tables are known, for statements and for queries", async () => {
      const view = withHandler("INSERT INTO words VALUES (:text, :board)", "UPDATE notes SET text = :text")
      const data = [{ text: "a tall tale", board: "b" }]
      const { found } = await folded(withDatabase, view, data, (database, { sources: [source] }) => {
        const catalog = readCatalog(database)
        const tablesOf = (sql: string) => [...compileQuery(database, catalog, sql).tables]
        const search = "SELECT text, json_each.value FROM words('tale'), json_each('[7]') ORDER BY rank"
        return {
          tables: source?.tables,
          writes: source?.handlers.get("noted")?.map(({ writes }) => writes),
          searched: tablesOf(search),
          rows: compileQuery(database, catalog, search).rows([]),
        }
      })
      expect(found).toEqual({
        tables: ["notes", "loose", "words"],
        writes: [["words"], ["notes"]],
        searched: ["words"],
        rows: [["a tall tale", 7]],
      })
    })
  })
}

function orderRules(refusalOf: RefusalOf): void {
  describe("[VIEW17] the order in which rows are visited does not show", () => {
    test.each([
      ["DELETE FROM notes WHERE id IN (SELECT id FROM notes LIMIT 1)", "LIMIT without ORDER BY"],
      ["INSERT INTO loose SELECT id, text FROM notes LIMIT 5", "LIMIT without ORDER BY"],
      ["UPDATE loose SET a = (SELECT group_concat(text) FROM notes)", "group_concat without ORDER BY"],
      [
        "UPDATE loose SET a = (SELECT json_group_array(text) FROM notes WHERE id > 1)",
        "json_group_array without",
      ],
      [
        "INSERT INTO loose SELECT board, json_group_object(id, text) FROM notes GROUP BY board",
        "json_group_object",
      ],
      [
        "UPDATE loose SET a = (SELECT string_agg(n.text, value) FROM json_each(:l) JOIN notes n)",
        "string_agg",
      ],
      ["INSERT INTO loose SELECT text, count(*) FROM notes GROUP BY board", "text beside an aggregate"],
      ["INSERT INTO loose SELECT text, max(time) FROM notes", "text beside an aggregate"],
      [
        "INSERT INTO loose SELECT lower(text) || 'x', n.id FROM notes n GROUP BY n.id",
        "text beside an aggregate",
      ],
      ["INSERT INTO loose SELECT *, 1 FROM (SELECT 1) GROUP BY board", "no such column|beside an aggregate"],
      [
        "INSERT INTO loose SELECT id, row_number() OVER () FROM notes",
        "row_number over rows without ORDER BY",
      ],
      ["INSERT INTO loose SELECT id, lag(text) OVER (PARTITION BY board) FROM notes", "lag over rows"],
      [
        "INSERT INTO loose SELECT id, group_concat(text) OVER w FROM notes WINDOW w AS (PARTITION BY board)",
        "group_",
      ],
    ])("refuses %s", async (sql, message) => {
      expect(await refusalOf(sql)).toMatch(new RegExp(message))
    })

    test.each([
      ["DELETE FROM notes WHERE id IN (SELECT id FROM notes ORDER BY time, id LIMIT 1)"],
      ["UPDATE loose SET a = (SELECT group_concat(text, ', ' ORDER BY id) FROM notes)"],
      ["UPDATE loose SET a = (SELECT json_group_array(value ->> 'x') FROM json_each(:list))"],
      ["INSERT INTO loose SELECT key, value FROM json_each(:list) LIMIT 3"],
      ["INSERT INTO loose SELECT board, count(*) AS n FROM notes GROUP BY board HAVING n > 1"],
      ["INSERT INTO loose SELECT n.board, sum(time) + count(*) total FROM notes AS n GROUP BY n.board"],
      ["INSERT INTO loose SELECT lower(board) AS b, max(time) FROM notes GROUP BY lower(board)"],
      ["INSERT INTO loose SELECT substr(board, 1, 2) AS b, count(*) FROM notes GROUP BY b"],
      ["INSERT INTO loose SELECT board, CASE WHEN max(time) > 5 THEN 'x' ELSE :y END FROM notes GROUP BY 1"],
      ["INSERT INTO loose SELECT max(time, 1), text FROM notes"],
      ["INSERT INTO loose SELECT count(*), (SELECT max(id) FROM notes) FROM notes"],
      ["INSERT INTO loose SELECT id, row_number() OVER (PARTITION BY board ORDER BY id) FROM notes"],
      ["INSERT INTO loose SELECT id, count(*) OVER (PARTITION BY board) FROM notes"],
      ["INSERT INTO loose SELECT id, lag(text) OVER w FROM notes WINDOW w AS (ORDER BY id)"],
      [
        `INSERT INTO notes (id, time) SELECT 1, count(*) FROM loose WHERE true
          ON CONFLICT (id) DO UPDATE SET time = time + 1`,
      ],
      ["UPDATE notes SET time = gone.b FROM (SELECT a, b FROM loose WHERE a = :a) AS gone WHERE id = gone.a"],
    ])("accepts %s", async (sql) => {
      expect(await refusalOf(sql)).toBe("accepted")
    })
  })
}

function keyRules(refusalOf: RefusalOf, withDatabase: WithDatabase): void {
  describe("[VIEW18] rowids are no part of rows, and none is drawn by lot", () => {
    test.each([
      ["UPDATE loose SET b = 1 WHERE rowid = :id"],
      ["INSERT INTO loose (a, b) SELECT rowid, a FROM loose"],
      ["INSERT INTO loose (_rowid_, a) VALUES (:id, 1)"],
      ["INSERT INTO words (rowid, text) SELECT l.oid, a FROM loose l"],
    ])("refuses %s", async (sql) => {
      expect(await refusalOf(sql)).toContain(`an INTEGER PRIMARY KEY of "loose" where its rowid is used; got`)
    })

    test("a table with an INTEGER PRIMARY KEY may be asked for it by any name", async () => {
      expect(await refusalOf("UPDATE notes SET text = 1 WHERE rowid = :id AND oid > 1")).toBe("accepted")
    })

    test("an event that takes the last of all keys halts; the next key is then as good as the last", async () => {
      const view = withHandler("INSERT INTO notes (id, text) VALUES (:id, :text)")
      const data = [
        { id: "9223372036854775806", text: "text that looks like a number becomes one" },
        { text: "this would take the last key, and the next one any" },
      ]
      const { halts, found } = await folded(withDatabase, view, data, keysOf)
      expect(halts).toEqual(["integer overflow"])
      expect(found).toEqual(["i9223372036854775806"])
    })

    test("keys below are given as SQLite gives them, after a deletion and a change of key too", async () => {
      const view = withHandler(
        "INSERT INTO notes (text) VALUES (:text)",
        "UPDATE notes SET id = id + 10 WHERE id = 2",
        "DELETE FROM notes WHERE id = :gone",
      )
      const { halts, found } = await folded(withDatabase, view, [{}, {}, { gone: 13 }, {}], keysOf)
      expect(halts).toEqual([])
      expect(found).toEqual(["i1", "i12", "i13"])
    })
  })
}

function patternRules(refusalOf: RefusalOf, withDatabase: WithDatabase, tooLong: number): void {
  describe("[VIEW19] patterns are short in all places, since they must be in some", () => {
    test.each([
      ["UPDATE notes SET time = 1 WHERE text LIKE board"],
      ["UPDATE notes SET time = 1 WHERE text LIKE '%' || :a"],
      ["UPDATE notes SET time = 1 WHERE text NOT LIKE (:a)"],
      ["UPDATE notes SET time = 1 WHERE like(board, text)"],
      [`UPDATE notes SET time = 1 WHERE text GLOB '${"x".repeat(51)}'`],
    ])("refuses %s", async (sql) => {
      expect(await refusalOf(sql)).toContain(
        "LIKE or GLOB with a parameter or a constant of at most 50 bytes; got ",
      )
    })

    test("a value that has grown too long halts: beyond 2 MB where SQLite can be told so", async () => {
      const view = withHandler(
        "INSERT INTO notes (id, text) VALUES (1, '') ON CONFLICT DO NOTHING",
        "UPDATE notes SET text = text || hex(zeroblob(:bytes / 2))",
      )
      const data = [{ bytes: 1_000_000 }, { bytes: 999_000 }, { bytes: tooLong }]
      const { halts, found } = await folded(withDatabase, view, data, (database) =>
        database.prepare("SELECT length(text) FROM notes").all([]),
      )
      expect(halts).toEqual(["string or blob too big"])
      expect(found).toEqual([[1_999_000]])
    })

    test.each([
      ["printf(:format, 1)"],
      ["format('%' || text, 1)"],
      ["printf('%*d', :width, 1)"],
      ["printf('%d %.*c', 1, :width, 'x')"],
      ["format('%100000d', 1)"],
      ["printf()"],
    ])("refuses %s, since builds bound its width differently", async (call) => {
      expect(await refusalOf(`UPDATE notes SET text = ${call}`)).toContain(
        "printf with a constant format whose widths are numbers of at most five digits; got ",
      )
    })

    test("a constant format passes", async () => {
      expect(await refusalOf("UPDATE notes SET text = printf('%5.2f|%-10s|%%*|%,d', :a, :b, :c)")).toBe(
        "accepted",
      )
    })

    test("a parameter of more than 50 bytes halts, one of 50 does not", async () => {
      const view = withHandler(
        "INSERT INTO loose VALUES (1, :p)",
        "UPDATE loose SET a = 2 WHERE b LIKE :p ESCAPE '!' OR like(:p, b) OR b GLOB '*'",
      )
      const data = [{ p: "é".repeat(25) }, { p: `${"é".repeat(25)}a` }]
      const { halts, found } = await folded(withDatabase, view, data, (database) =>
        tableLines(database, "loose"),
      )
      expect(halts).toEqual([":p: LIKE or GLOB pattern too complex"])
      expect(found).toHaveLength(1)
    })
  })
}
