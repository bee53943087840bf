import fc from "fast-check"
import type { ViewData } from "../../../shared/view/definition.ts"

/** Types that the events of a case have; the last has no handler. */
export const TYPES = ["made", "made@2", "gone", "unknown"]

const parameter = fc.constantFrom(
  ":p0",
  ":p1",
  ":p2",
  ":p0",
  ":p1",
  ":event_id",
  ":event_stream",
  ":event_time",
)
const field = fc.constantFrom(":p0", ":p1", ":p2")

/** What may be done with a value; `$` stands for it. Some fail for some values: then the event halts. */
const FORMS = [
  "upper($)|lower($)|length($)|typeof($)|hex($)|quote($)|$ ++ 'x'|- $|$ + 1|$ * 0.1|$ / 3|$ % 7|$ = 1|$ < 'b'",
  "CAST($ AS TEXT)|CAST($ AS REAL)|CAST($ AS INTEGER)|CAST($ AS NUMERIC)|CAST($ AS BLOB)|abs($)|char($)|sqrt($)",
  "coalesce($, 'none')|substr($, 2, 3)|round($, 2)|printf('%.3f %d %s', $, $, $)|format('%g', $)|trim($)|sign($)",
  "replace($, 'a', 'é')|instr($, 'a')|unicode($)|octet_length($)|nullif($, 'a')|max($, 1)|min($, 'm')",
  "date($)|datetime($, '+1 day')|unixepoch($)|julianday($)|strftime('%Y-%W %f', $)|iif($, 'yes', 'no')",
  "$ LIKE 'a%'|$ IN (1, 'a')|CASE $ WHEN 'a' THEN 1 WHEN 2 THEN 'two' END|json_valid($)|json_quote($)",
  "json_array($, 1)|json_object('k', $)|json_set('{}', '$.a', $)",
].flatMap((line) => line.split("|").map((form) => form.replace("++", "||")))

/** The same for JSON. */
const JSON_FORMS = [
  "$ ->> 'a'|$ ->> '$.a'|$ -> 0|json_extract($, '$.a', '$[0]')|json_type($)|json($)|json_array_length($)",
  `json_patch('{"a":1}', $)|json_remove($, '$.a')|json_replace($, '$.a', :p0)|json_insert($, '$.z', 1.50)`,
].flatMap((line) => line.split("|"))

/** Mostly what is JSON, and what is none where a failure is wanted. */
const json: fc.Arbitrary<string> = fc
  .tuple(field, fc.nat({ max: 7 }))
  .map(([of, chance]) => (chance === 0 ? of : `iif(json_valid(${of}), ${of}, '{}')`))

/** An expression of what an event carries. */
const expression: fc.Arbitrary<string> = fc.oneof(
  { weight: 6, arbitrary: parameter },
  { weight: 4, arbitrary: fc.tuple(fc.constantFrom(...FORMS), field).map(filled) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...JSON_FORMS), json).map(filled) },
)

/** A dollar before a `.` or a `[` is the root of a JSON path. */
function filled([form, of]: [string, string]): string {
  return `(${form.replace(/\$(?![.[])/g, () => of)})`
}

const LOOSE = ["", "TEXT", "INTEGER", "REAL", "BLOB", "NUMERIC", "TEXT COLLATE NOCASE", "VARCHAR(3)"]
const STRICT = ["TEXT", "INTEGER", "REAL", "ANY", "ANY", "BLOB"]
const CONSTRAINTS = [
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "",
  "NOT NULL",
  "DEFAULT 'd'",
  "DEFAULT 1.50",
  "CHECK (length(@) < 9)",
  "CHECK (@ <> 2)",
]
const GENERATED = [
  "(c0 || '-' || c1)",
  "(c0 + c1)",
  "(CAST(c0 AS INTEGER))",
  "(length(c0)) STORED",
  "(typeof(c1)) STORED",
  "(c0 ->> '$.a') STORED",
  "(json_valid(c0)) STORED",
  "(printf('%.4g', c1)) STORED",
  "(lower(c0)) STORED",
]
/** The type of `id`, and what makes it a key of a table that is not over a pattern. */
const KEYS = [
  ["TEXT", "PRIMARY KEY"],
  ["", "PRIMARY KEY"],
  ["INTEGER", "PRIMARY KEY"],
  ["REAL", "UNIQUE"],
  ["TEXT", "NOT NULL UNIQUE ON CONFLICT REPLACE"],
  ["TEXT COLLATE NOCASE", "PRIMARY KEY"],
] as const
const INDEXES = [
  "CREATE INDEX # ON @ (c0)",
  "CREATE INDEX # ON @ (c1 DESC, c0)",
  "CREATE INDEX # ON @ (lower(c0)) WHERE c1 > 1",
  "CREATE UNIQUE INDEX # ON @ (c0) WHERE c1 IS NOT NULL",
  "CREATE UNIQUE INDEX # ON @ (c1, typeof(c0))",
]

/** What is common to the statements of a source. */
type Shape = { readonly table: string; readonly isPattern: boolean; readonly hasFts: boolean }

/** A table with a key `id`, columns `c0` and `c1` and the stream's path, and what else there may be. */
function tableOf({ table, isPattern }: Shape): fc.Arbitrary<string[]> {
  const indexes = INDEXES.filter((index) => !isPattern || !index.includes("UNIQUE")) // of all streams together
  return fc
    .record({
      isStrict: fc.boolean(),
      key: fc.constantFrom(...KEYS),
      generated: fc.option(fc.constantFrom(...GENERATED)),
      withoutRowid: fc.boolean(),
      indexed: fc.subarray(indexes, { maxLength: 2 }),
    })
    .chain(({ isStrict, key: [type, unique], generated, withoutRowid, indexed }) => {
      const any = isStrict ? "ANY" : ""
      const id = `id ${type === "" ? any : type}`
      const made = generated === null ? [] : [`g ${any} AS ${generated}`]
      const isKeyed = isPattern || unique === "PRIMARY KEY"
      const options = [...(isStrict ? ["STRICT"] : []), ...(withoutRowid && isKeyed ? ["WITHOUT ROWID"] : [])]
      return fc.tuple(columnOf("c0", isStrict), columnOf("c1", isStrict)).map((columns) => {
        const start = isPattern ? [id, "stream TEXT"] : [`${id} ${unique}`, "stream TEXT"]
        const parts = [...start, ...columns, ...made, ...(isPattern ? ["PRIMARY KEY (stream, id)"] : [])]
        return [
          `CREATE TABLE ${table} (${parts.join(", ")}) ${options.join(", ")}`.trim(),
          ...indexed.map((index, at) => index.replace("#", `${table}_${at}`).replace("@", table)),
        ]
      })
    })
}

function columnOf(name: string, isStrict: boolean): fc.Arbitrary<string> {
  return fc
    .tuple(fc.constantFrom(...(isStrict ? STRICT : LOOSE)), fc.constantFrom(...CONSTRAINTS))
    .map(([type, constraint]) => `${name} ${type} ${constraint.replaceAll("@", name)}`)
}

function insertOf({ table, isPattern }: Shape): fc.Arbitrary<string> {
  const target = isPattern ? "(stream, id)" : "(id)"
  return fc
    .record({
      or: fc.constantFrom(
        "INSERT",
        "INSERT OR IGNORE",
        "INSERT OR IGNORE",
        "INSERT OR REPLACE",
        "INSERT OR ABORT",
      ),
      id: fc.oneof({ weight: 5, arbitrary: field }, { weight: 1, arbitrary: expression }),
      c0: expression,
      c1: expression,
      end: fc.constantFrom(
        "",
        "ON CONFLICT DO NOTHING",
        "ON CONFLICT DO NOTHING",
        `ON CONFLICT ${target} DO UPDATE SET c0 = excluded.c0`,
        `ON CONFLICT ${target} DO UPDATE SET c0 = excluded.c0, c1 = c1 || excluded.c1`,
        `ON CONFLICT ${target} DO UPDATE SET c0 = c0 + 1 WHERE c1 IS NOT excluded.c1`,
      ),
    })
    .map(({ or, id, c0, c1, end }) =>
      `${or} INTO ${table} (id, stream, c0, c1) VALUES (${id}, :event_stream, ${c0}, ${c1}) ${end}`.trim(),
    )
}

/** A statement that an event runs. Over a pattern each is about the rows of its own stream. */
function statementOf(shape: Shape): fc.Arbitrary<string> {
  const { table, isPattern, hasFts } = shape
  const own = isPattern ? "stream = :event_stream AND " : ""
  const where = fc.constantFrom(
    "id = :p0",
    "c0 IS :p1",
    "c1 > :p2",
    "c0 LIKE :p0",
    "c0 IN (:p0, :p1)",
    "id <= :p0",
  )
  const value = fc.oneof(
    expression,
    fc.constantFrom(
      ...["c1", "c0 || c1", "c0 + 1", "upper(c0)", "(SELECT count(*) FROM @ WHERE ~1)", "coalesce(c0, c1)"],
      ...["(SELECT max(c1) FROM @ WHERE ~1)", "(SELECT group_concat(c0, ',' ORDER BY id) FROM @ WHERE ~1)"],
      ...[
        "(SELECT json_group_array(value ->> 'a') FROM json_each(iif(json_valid(:p1), :p1, '[]')))",
        "(SELECT count(*) FROM json_tree(iif(json_valid(:p1), :p1, '[]')))",
      ],
    ),
  )
  const update = fc.tuple(fc.constantFrom("c0", "c1"), value, where).map(([column, to, which]) => {
    const set = to.replaceAll("@", table).replaceAll("~", own)
    return `UPDATE ${table} SET ${column} = ${set} WHERE ${own}${which}`
  })
  const remove = where.map((which) => `DELETE FROM ${table} WHERE ${own}${which}`)
  const list = fc
    .tuple(
      fc.constantFrom("json_each", "json_tree"),
      json,
      fc.constantFrom("key", "value", "value ->> 'a'", "fullkey"),
    )
    .map(
      ([each, from, id]) =>
        `INSERT INTO ${table} (id, stream, c0, c1) SELECT ${id}, :event_stream, value, type FROM ${each}(${from}) ` +
        `WHERE type <> 'null' ON CONFLICT DO NOTHING`,
    )
  const search = fc.constantFrom(
    `INSERT INTO ${table}_words (text, id, stream) VALUES (:p1, :p0, :event_stream)`,
    `DELETE FROM ${table}_words WHERE ${own}id IS :p0`,
    `UPDATE ${table}_words SET text = :p2 WHERE ${own}id IS :p0`,
  )
  const base = [
    { weight: 9, arbitrary: insertOf(shape) },
    { weight: 3, arbitrary: update },
    { weight: 1, arbitrary: remove },
    { weight: 2, arbitrary: list },
  ]
  return hasFts ? fc.oneof(...base, { weight: 3, arbitrary: search }) : fc.oneof(...base)
}

function sourceOf(table: string, isPattern: boolean): fc.Arbitrary<ViewData[string]> {
  return fc.boolean().chain((hasFts) => {
    const shape: Shape = { table, isPattern, hasFts }
    const statements = fc.array(statementOf(shape), { minLength: 1, maxLength: 3 })
    const tokenizer = fc.constantFrom(
      "",
      ", tokenize = 'porter'",
      ", tokenize = 'trigram'",
      ", prefix = '1 2'",
    )
    const words = hasFts
      ? tokenizer.map((more) => [
          `CREATE VIRTUAL TABLE ${table}_words USING fts5(text, id UNINDEXED, stream UNINDEXED${more})`,
        ])
      : fc.constant<string[]>([])
    return fc
      .tuple(tableOf(shape), words, statements, statements, statements)
      .map(([tables, more, made, made2, gone]) => ({
        tables: [...tables, ...more],
        on: { made, "made@2": made2, gone },
      }))
  })
}

/** A view of one source over a stream, and often another one over a pattern. */
export const anyView: fc.Arbitrary<ViewData> = fc
  .tuple(sourceOf("t", false), fc.option(sourceOf("u", true)))
  .map(([one, many]) => ({ one, ...(many === null ? {} : { many }) }))
