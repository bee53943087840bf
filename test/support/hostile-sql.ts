import fc from "fast-check"

/*
 * Texts of somebody who wants to do more than read. A grammar, so that most of them get past the parser; the leaves are
 * what a database may be attacked with.
 */

const TABLES = [
  "notes",
  "tags",
  "words",
  "words_data",
  "words_content",
  "sqlite_schema",
  "main.sqlite_master",
]
const FOREIGN = ["temp.sqlite_schema", "pragma_table_info('notes')", "dbstat", "sqlite_stmt", "other.notes"]
const ODD_NAMES = [`"notes"`, "[tags]", "`words`", `"sqlite_schema"`, "NoTeS", `"pragma_database_list"`]
const BOMBS = [
  "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n)",
  "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY i DESC)",
  "notes a, notes b, notes c, notes d, notes e, notes f, notes g, notes h, notes i",
  "json_each('[1,2,3,4,5,6,7,8,9]') a, json_each('[1,2,3,4,5,6,7,8,9]') b, json_tree('[[[[1]]]]') c",
]
const VALUES = [
  "1",
  "NULL",
  "'x'",
  "id",
  "text",
  "rowid",
  "count(*)",
  "randomblob(100000)",
  "zeroblob(2000000000)",
  "printf('%.*c', 1000000, 'a')",
  "replace(text, 'a', printf('%.*c', 20000, 'b'))",
  "load_extension('x')",
  "hex(randomblob(900000))",
  "group_concat(text)",
  "json_group_array(text)",
  "json_patch(text, text)",
  "text LIKE '%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%a'",
  "instr(text, text)",
  "last_insert_rowid()",
  "total_changes()",
  "9223372036854775807 + 1",
  "abs(-9223372036854775808)",
  "json('{')",
  "current_timestamp",
  "random()",
  "(SELECT sql FROM sqlite_schema LIMIT 1)",
  "CASE WHEN 1 THEN 2 END",
  "snippet(words, 0, '', '', '', 5)",
]
const WRITES = [
  "DELETE FROM notes",
  "DELETE FROM notes RETURNING id",
  "UPDATE notes SET text = 'changed' RETURNING *",
  "INSERT INTO notes VALUES (99, 'x', 1) RETURNING id",
  "INSERT OR REPLACE INTO tags SELECT 1, 'y'",
  "INSERT INTO words(words) VALUES ('delete-all')",
  "REPLACE INTO notes VALUES (1, 'changed', 1)",
]
const STATEMENTS = [
  ...WRITES,
  "DROP TABLE notes",
  "ALTER TABLE notes RENAME TO other",
  "CREATE TABLE made (a)",
  "CREATE TEMP TABLE made AS SELECT 1",
  "CREATE TEMP TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END",
  "ATTACH ':memory:' AS other",
  "DETACH main",
  "PRAGMA user_version = 5",
  "PRAGMA writable_schema = 1",
  "PRAGMA query_only = 1",
  "COMMIT",
  "ROLLBACK",
  "END",
  "SAVEPOINT x",
  "VACUUM",
  "REINDEX",
  "ANALYZE",
  "EXPLAIN DELETE FROM notes",
]
const SPACES = [" ", "\n", "\t", " /* ; */ ", " -- ; DELETE FROM notes\n", "/**/", "\f"]

/** @param hasBombs Whether the engine can stop what would run for ever. */
export function hostileSql(hasBombs: boolean): fc.Arbitrary<string> {
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("1", "NULL", "'x'", "2.5", "random()") },
    { weight: 1, arbitrary: fc.constantFrom(...VALUES) },
  )
  const foreign = [...TABLES, ...FOREIGN, ...ODD_NAMES, ...(hasBombs ? BOMBS : [])]
  const table = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom("notes", "tags", "words", "json_each('[1,2]')") },
    { weight: 1, arbitrary: fc.constantFrom(...foreign) },
  )
  const again = hasBombs ? "UNION ALL" : "UNION"
  const words = fc.constantFrom("UNION ALL", "UNION", "EXCEPT", "INTERSECT")
  const { query } = fc.letrec<{ query: string; source: string; select: string }>((tie) => ({
    source: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      { weight: 4, arbitrary: table },
      { weight: 2, arbitrary: tie("query").map((inner) => `(${inner})`) },
      fc.constantFrom(...WRITES).map((write) => `(${write})`),
    ),
    select: fc
      .tuple(value, value, tie("source"), fc.option(value), fc.boolean(), fc.option(fc.nat(5)))
      .map(([first, second, from, where, isOrdered, limit]) =>
        [
          `SELECT ${first}, ${second} FROM ${from}`,
          where === null ? "" : `WHERE ${where}`,
          isOrdered ? "ORDER BY 1" : "",
          limit === null ? "" : `LIMIT ${limit}`,
        ].join(" "),
      ),
    query: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      tie("select"),
      fc.tuple(tie("select"), words, tie("select")).map((parts) => parts.join(" ")),
      fc.tuple(tie("query"), tie("query")).map(([part, rest]) => `WITH x AS (${part}) ${rest}`),
      tie("query").map(
        (part) => `WITH RECURSIVE x(a, b) AS (${part} ${again} SELECT a, b FROM x) SELECT a FROM x`,
      ),
      fc
        .tuple(tie("query"), fc.constantFrom(...WRITES))
        .map(([part, write]) => `WITH x AS (${part}) ${write}`),
      fc.tuple(tie("query"), tie("query")).map(([a, b]) => `SELECT (${a}), EXISTS (${b})`),
    ),
  }))
  const text = fc.oneof(
    { weight: 8, arbitrary: query as fc.Arbitrary<string> },
    { weight: 1, arbitrary: fc.constantFrom(...STATEMENTS) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(query as fc.Arbitrary<string>, fc.constantFrom(...STATEMENTS))
        .map((two) => two.join(";")),
    },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }).map((tail) => `SELECT ${tail}`) },
  )
  return fc
    .tuple(text, fc.infiniteStream(fc.constantFrom(...SPACES)))
    .map(([sql, spaces]) => sql.replaceAll(" ", () => spaces.next().value ?? " "))
}
