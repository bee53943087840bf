import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { ErrorCode } from "../../shared/errors.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { readCatalog } from "../../shared/view/program.ts"
import { compileQuery, type QueryParameters } from "../../shared/view/query.ts"
import { hostileSql } from "../support/hostile-sql.ts"
import type { WithDatabase } from "./sql-database.ts"

export type QueryContract = {
  readonly withDatabase: WithDatabase
  /** False where it has no BEGIN, and no PRAGMA for anybody. Default: it has. */
  readonly hasBegin?: boolean
  /** Whether the engine can be stopped in the middle of a statement. */
  readonly isStoppable: boolean
  readonly fuzzRuns: number
}

/** Fixed, so that a change is red for what it changes. */
const SEED = 20_261_125

/** Slower machines than those that the limit was chosen on are under load as well. */
const SLACK_MS = 4_000

const TABLES = `
  CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, size REAL);
  CREATE INDEX notes_by_size ON notes (size);
  CREATE TABLE tags (note INTEGER, tag TEXT, PRIMARY KEY (note, tag)) WITHOUT ROWID;
  CREATE VIRTUAL TABLE words USING fts5(body);
  INSERT INTO notes VALUES (1, 'tea', 1.5), (2, 'soap', 2), (3, '[1,2]', 3);
  INSERT INTO tags VALUES (1, 'hot'), (1, 'green'), (2, 'clean');
  INSERT INTO words VALUES ('hot green tea'), ('clean soap');`

/** What every engine must do with the queries that users write. */
export function describeQueries(name: string, contract: QueryContract): void {
  describe(`queries contract: ${name}`, () => {
    whatIsAllowed(contract)
    whatIsRefused(contract)
    howMuch(contract)
    if (contract.isStoppable) howLong(contract)
    whateverComes(contract)
  })
}

/** What every engine must do that has no authorizer: it may bound queries in its own way, before or while they run. */
export function describeRules(name: string, contract: QueryContract): void {
  describe(`rules for queries contract: ${name}`, () => {
    whatIsAllowed(contract)
    whatIsRefused(contract)
    whateverComes(contract)
  })
}

/** A view's tables, with one row that is not committed where that can be. */
function opened(database: SqlDatabase, { hasBegin = true }: QueryContract) {
  database.exec(TABLES)
  database.exec(`${hasBegin ? "BEGIN; " : ""}INSERT INTO notes VALUES (4, 'pending', 4)`)
  const catalog = readCatalog(database)
  const ask = (sql: string, parameters: QueryParameters = [], ms?: number) => {
    const query = compileQuery(database, catalog, sql)
    try {
      return query.rows(parameters, ms)
    } finally {
      query.close()
    }
  }
  const all = (sql: string) => database.prepare(sql).all([])
  const dump = () => [
    all("SELECT type, name, sql FROM sqlite_schema ORDER BY name"),
    all("SELECT * FROM notes ORDER BY id"),
    all("SELECT * FROM tags ORDER BY note, tag"),
    all("SELECT rowid, body FROM words ORDER BY rowid"),
    ...(hasBegin ? [all("SELECT count(*) FROM pragma_database_list"), all("PRAGMA user_version")] : []),
  ]
  return { ask, dump }
}

function refusalOf(act: () => unknown): HeadwaterError {
  try {
    act()
  } catch (cause) {
    if (cause instanceof HeadwaterError) return cause
    throw cause
  }
  throw new Error("nothing was refused")
}

function whatIsAllowed(contract: QueryContract): void {
  test.each([
    ["SELECT count(*) FROM notes", [[4]]],
    ["SELECT n.text FROM main.notes AS n JOIN tags ON note = n.id WHERE tag = 'clean'", [["soap"]]],
    ["WITH x AS (SELECT 1) SELECT count(*) FROM x", [[1]]],
    [
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT sum(i) FROM n",
      [[15]],
    ],
    ["SELECT value FROM notes, json_each(text) WHERE notes.id = 3", [[1], [2]]],
    [`SELECT count(*) FROM json_tree('{"a":[1]}')`, [[3]]],
    ["SELECT id, row_number() OVER (ORDER BY size DESC) FROM notes ORDER BY id LIMIT 1", [[1, 4]]],
    ["SELECT body FROM words WHERE words MATCH 'tea' ORDER BY rank", [["hot green tea"]]],
    ["SELECT highlight(words, 0, '<', '>') FROM words('soap')", [["clean <soap>"]]],
    ["SELECT bm25(words) < 0, snippet(words, 0, '', '', '', 1) FROM words('hot')", [[1, "hot"]]],
    ["SELECT count(*) FROM words", [[2]]],
    ["SELECT 1 WHERE EXISTS (SELECT 1 FROM notes INTERSECT SELECT 1 FROM tags)", [[1]]],
    ["VALUES (1), (2)", [[1], [2]]],
    ["SELECT text FROM notes WHERE text LIKE 't%' AND text GLOB '*a'", [["tea"]]],
    ["SELECT 1 /* ; DROP TABLE notes */ -- ; ATTACH 'x' AS y", [[1]]],
  ])("[VIEW25] %s is answered", (sql, rows) =>
    contract.withDatabase((database) => {
      const { ask } = opened(database, contract)
      expect(ask(sql)).toEqual(rows)
    }),
  )
}

function whatIsRefused(contract: QueryContract): void {
  test.each([
    "SELECT * FROM sqlite_schema",
    "SELECT count(*) FROM sqlite_master",
    "SELECT sql FROM sqlite_temp_schema",
    "SELECT 1 FROM (SELECT 1 WHERE EXISTS (SELECT * FROM main.sqlite_schema))",
    "SELECT * FROM pragma_table_info('notes')",
    "SELECT count(*) FROM pragma_table_list",
    "SELECT * FROM pragma_user_version",
    "SELECT (SELECT count(*) FROM pragma_module_list)",
    "SELECT * FROM dbstat",
    "SELECT count(*) FROM dbstat",
    "SELECT * FROM sqlite_stmt",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM bytecode('SELECT 1')",
    "SELECT * FROM words_data",
    "SELECT count(*) FROM words_content",
    "SELECT block FROM words_idx, words_data",
    "SELECT load_extension('x')",
    "SELECT fts3_tokenizer('x')",
    "SELECT writefile('x', 'y')",
    "WITH x AS (SELECT 1) INSERT INTO notes SELECT 9, 9, 9 FROM x",
    "WITH x AS (SELECT 1) UPDATE notes SET text = 1 RETURNING id",
    "WITH x AS (SELECT 1) DELETE FROM notes",
    "WITH x AS (SELECT 1) REPLACE INTO notes VALUES (1, 1, 1)",
    "WITH x AS (SELECT 1) INSERT INTO words(words) VALUES ('rebuild')",
    "WITH x AS (DELETE FROM notes RETURNING id) SELECT * FROM x",
    "SELECT * FROM (DELETE FROM notes RETURNING id)",
    "PRAGMA user_version = 7",
    "ATTACH ':memory:' AS other",
    "EXPLAIN SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "ROLLBACK",
    "COMMIT",
    "SELECT 1; DROP TABLE notes",
    "/* */ ; DROP TABLE notes",
    "VACUUM INTO 'x'",
    "SELECT 1 INTO x",
    "",
  ])("[VIEW25] %s is refused and does nothing", (sql) =>
    contract.withDatabase((database) => {
      const { ask, dump } = opened(database, contract)
      const before = dump()
      expect(refusalOf(() => ask(sql)).code).toBe("invalid-query")
      expect(dump()).toEqual(before)
    }),
  )

  test("[VIEW25] a refusal says what was asked for", () =>
    contract.withDatabase((database) => {
      const { ask } = opened(database, contract)
      const { message } = refusalOf(() => ask("SELECT name FROM sqlite_schema"))
      expect(message).toContain("expected a query that only reads tables of the view; got one that reads")
      expect(message).toMatch(/sqlite_(schema|master)/)
    }))

  test("[VIEW25] what folds and opens views is not asked", () =>
    contract.withDatabase((database) => {
      const { ask } = opened(database, contract)
      const insert = database.prepare("INSERT INTO notes VALUES (?, 'x', 0)")
      expect(() => ask("SELECT * FROM sqlite_schema")).toThrow()
      insert.run([7])
      ask("SELECT 1")
      insert.run([8])
      database.exec("CREATE TABLE later (a)")
      expect(database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'later'").all([])).toEqual([
        [1],
      ])
    }))
}

const MANY = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"

/** A text of thirty parts, each of which has the one before it twice. */
const DOUBLED = Array.from({ length: 30 }, (_, at) => `a${at + 1} AS (SELECT x.v FROM a${at} AS x, a${at})`)

function howMuch(contract: QueryContract): void {
  const sizes: [sql: string, code: ErrorCode][] = [
    [`${MANY} SELECT 1 FROM n LIMIT ${LIMITS.deviceQueryRowsMax + 1}`, "query-too-large"],
    [`${MANY} SELECT printf('%.*c', 1900000, 'x') FROM n LIMIT 100`, "query-too-large"],
    ["SELECT zeroblob(2000001)", "query-too-large"],
    ["SELECT length(printf('%.*c', 900000000, 'x'))", "query-too-large"],
    [
      "SELECT length(replace(printf('%.*c', 30000, 'x'), 'x', printf('%.*c', 30000, 'y')))",
      "query-too-large",
    ],
    ["SELECT instr(printf('%.*c', 40000, 'a'), 'b')", "query-too-large"],
    ["SELECT trim(printf('%.*c', 10000, 'a'), 'b')", "query-too-large"],
    ["SELECT 'x' LIKE printf('%.*c', 51, '%')", "invalid-query"],
    [`SELECT ${"(".repeat(5_000)}1${")".repeat(5_000)}`, "invalid-query"],
    [`SELECT 1${" + 1".repeat(4_000)}`, "invalid-query"],
    [`SELECT ${"1,".repeat(3_000)}1`, "invalid-query"],
    [`SELECT '${"x".repeat(LIMITS.sqlLengthMax)}'`, "invalid-query"],
  ]
  test.each(sizes)("[VIEW27] %.60s is more than an answer may be", (sql, code) =>
    contract.withDatabase((database) => {
      const { ask, dump } = opened(database, contract)
      const before = dump()
      expect(refusalOf(() => ask(sql, [], LIMITS.deviceQueryMsMax)).code).toBe(code)
      expect([dump(), ask("SELECT max(id) FROM notes")]).toEqual([before, [[4]]])
    }),
  )

  test("[VIEW33] a short text that would compile for ever is refused", () =>
    contract.withDatabase((database) => {
      const { ask, dump } = opened(database, contract)
      const before = dump()
      const sql = `WITH a0 AS (SELECT 1 AS v), ${DOUBLED.join(", ")} SELECT count(*) FROM a30`
      expect(refusalOf(() => ask(sql)).code).toBe("invalid-query")
      expect(dump()).toEqual(before)
    }))

  test("[VIEW27] values as large as those of a row are answered where no function takes too long for them", () =>
    contract.withDatabase((database) => {
      const { ask } = opened(database, contract)
      expect(ask("SELECT length(zeroblob(1999000)), trim(printf('%.*c', 100000, ' '))")).toEqual([
        [1_999_000, ""],
      ])
      expect(ask("SELECT 'x' LIKE printf('%.*c', 50, '%')")).toEqual([[1]])
    }))
}

function howLong(contract: QueryContract): void {
  test.each([
    `${MANY} SELECT count(*) FROM n`,
    `${MANY} SELECT i FROM n ORDER BY i DESC`,
    `${MANY} SELECT DISTINCT i % 3 FROM n`,
    "SELECT count(*) FROM json_each(?) a, json_each(?) b, json_each(?) c, json_each(?) d",
    `${MANY} SELECT count(*) FROM n, words WHERE body MATCH 'tea'`,
  ])("[VIEW26] %s is stopped, and all goes on", (sql) =>
    contract.withDatabase((database) => {
      const { ask, dump } = opened(database, contract)
      const before = dump()
      const numbers = JSON.stringify(Array.from({ length: 1_000 }, (_, at) => at))
      const parameters = sql.includes("?") ? [numbers, numbers, numbers, numbers] : []
      const start = performance.now()
      const { code, message } = refusalOf(() => ask(sql, parameters, 100))
      expect([code, message.includes(" ms; it takes longer")]).toEqual(["query-timeout", true])
      expect(performance.now() - start).toBeLessThan(LIMITS.deviceQueryMsDefault + SLACK_MS)
      expect([dump(), ask("SELECT max(id) FROM notes")]).toEqual([before, [[4]]])
    }),
  )

  test("[VIEW27] a sort that needs too much memory is stopped, and its memory is free again", () =>
    contract.withDatabase((database) => {
      const { ask, dump } = opened(database, contract)
      const before = dump()
      const sql = `${MANY} SELECT length(x) FROM (SELECT randomblob(1000000) AS x FROM n LIMIT 1000) ORDER BY x`
      for (let at = 0; at < 20; at++) {
        const { code, message } = refusalOf(() => ask(sql, [], LIMITS.deviceQueryMsMax))
        expect([code, message.includes("bytes of memory")]).toEqual(["query-too-large", true])
      }
      expect([dump(), ask("SELECT max(id) FROM notes")]).toEqual([before, [[4]]])
    }))

  test("[VIEW26] who gives more time gets it", () =>
    contract.withDatabase((database) => {
      const { ask } = opened(database, contract)
      const sql = `${MANY} SELECT count(*) FROM (SELECT i FROM n LIMIT 200000)`
      expect(refusalOf(() => ask(sql, [], 1)).code).toBe("query-timeout")
      expect(ask(sql, [], LIMITS.deviceQueryMsMax)).toEqual([[200_000]])
    }))
}

function whateverComes(contract: QueryContract): void {
  const codes: readonly ErrorCode[] = ["invalid-query", "query-timeout", "query-too-large"]
  test("[VIEW25] hostile texts end in rows or in one typed error, in time, and change nothing", () =>
    contract.withDatabase((database) => {
      const { ask, dump } = opened(database, contract)
      const before = JSON.stringify(dump())
      const ends = new Map<string, number>()
      fc.assert(
        fc.property(hostileSql(contract.isStoppable), (sql) => {
          const start = performance.now()
          let end = "rows"
          try {
            ask(sql, [], 50)
          } catch (cause) {
            if (!(cause instanceof HeadwaterError)) throw cause
            end = cause.code
            expect(codes).toContain(end)
          }
          ends.set(end, (ends.get(end) ?? 0) + 1)
          expect(performance.now() - start).toBeLessThan(LIMITS.deviceQueryMsDefault + SLACK_MS)
          expect(JSON.stringify(dump())).toBe(before)
        }),
        { numRuns: contract.fuzzRuns, seed: SEED },
      )
      expect([...ends.keys()]).toEqual(expect.arrayContaining(["rows", "invalid-query"]))
    }))
}
