import { createHash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { describe, expect, test } from "vitest"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import { loadSqlite } from "../../../client/state/sqlite.ts"
import type { Millis } from "../../../shared/ids.ts"
import type { SqlDatabase } from "../../../shared/sql.ts"
import { compileView } from "../../../shared/view/compile.ts"
import type { ViewData } from "../../../shared/view/definition.ts"
import { RowRestorer } from "../../../shared/view/restore-rows.ts"
import {
  decodeManifest,
  isTrueTo,
  linesOf,
  rowsHash,
  type SnapshotManifest,
  snapshotText,
} from "../../../shared/view/snapshot.ts"
import { stateHash, textHash } from "../../../shared/view/state-hash.ts"
import type { OwnedTable } from "../../../shared/view/tables.ts"

const wasm = await loadSqlite(
  await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"))),
)
const ENGINES: [string, () => SqlDatabase][] = [
  ["node:sqlite", openNodeSqlite],
  ["WASM", () => wasm.open()],
]

const digest = async (bytes: Uint8Array) => new Uint8Array(createHash("sha256").update(bytes).digest())

const VIEW: ViewData = {
  kept: {
    tables: [
      "CREATE TABLE values_of_all_types (a, b REAL, c INTEGER, d TEXT, e AS (c + 1), f AS (d || 'x') STORED)",
      "CREATE VIRTUAL TABLE words USING fts5(title, note UNINDEXED)",
      "CREATE TABLE empty (a)",
      "CREATE TABLE numbered (id INTEGER PRIMARY KEY, at TEXT UNIQUE CHECK (at <> ''))",
    ],
    on: { made: ["INSERT INTO empty VALUES (:a)"] },
  },
}

const ROWS = [
  "INSERT INTO values_of_all_types (a, b, c, d) VALUES (1, 2, 3, 'four'), (1.0, -0.0, -1, '')",
  "INSERT INTO values_of_all_types (a, b) VALUES (0.0 * -1, 1e300)",
  "INSERT INTO values_of_all_types (a, b) VALUES (9e999, -9e999), (9007199254740993, 9007199254740992.0)",
  "INSERT INTO values_of_all_types (a, b) VALUES (x'', 5e-324), (x'00ff', 0.1), ('a' || char(0) || 'b', 1)",
  "INSERT INTO values_of_all_types (a, d) VALUES (CAST(x'61ff' AS TEXT), 'ünï 🚀'), ('1', '2,3' || char(10) || '4')",
  "INSERT INTO values_of_all_types (a, d) VALUES (9223372036854775807, CAST(x'f0' AS TEXT))",
  "INSERT INTO values_of_all_types (a, d) VALUES (-9223372036854775807 - 1, 'x')",
  "INSERT INTO values_of_all_types (a) VALUES ('1'), ('1')",
  "INSERT INTO words (rowid, title, note) VALUES (7, 'the sea', 1), (3, 'a ship', NULL), (12, 'the sea', 1)",
  "INSERT INTO numbered VALUES (5, 'a'), (-3, 'b'), (9007199254740993, 'c')",
]

function opened(open: () => SqlDatabase) {
  const database = open()
  return { database, tables: compileView(database, "kept", VIEW).sources.flatMap(({ owned }) => owned) }
}

function filled(open: () => SqlDatabase) {
  const { database, tables } = opened(open)
  for (const row of ROWS) database.exec(row)
  return { database, tables, texts: textsOf(database, tables) }
}

function textsOf(database: SqlDatabase, tables: readonly OwnedTable[]): Map<string, string> {
  return new Map(tables.map((table) => [table.name, snapshotText(database, table)]))
}

async function manifestOf({ database, tables, texts }: ReturnType<typeof filled>): Promise<SnapshotManifest> {
  const names = tables.map(({ name }) => name)
  const told = await Promise.all(
    [...texts].map(async ([name, text]) => {
      const hash = await textHash(text, digest)
      return [name, { rows: linesOf(text).length, bytes: text.length, hash }] as const
    }),
  )
  const place = { key: "key", streams: { kept: "s" }, cursor: {}, halts: [], skipped: [] }
  const hash = await stateHash(database, names, digest)
  return { ...place, hash, tables: Object.fromEntries(told), savedAt: 0 as Millis }
}

describe.each(ENGINES)("rows written down and put back: %s", (_, open) => {
  test("[EVIEW16] they are the same rows, whatever values they have", () => {
    const { tables, texts } = filled(open)
    const other = opened(open).database
    for (const table of tables) {
      const rows = new RowRestorer(other, table)
      const text = texts.get(table.name) ?? ""
      for (let at = 0; at < text.length; ) at = rows.insert(text, at)
      rows.close()
    }
    expect(textsOf(other, tables)).toEqual(texts)
    expect(texts.get("empty")).toBe("")
    expect(other.prepare("SELECT rowid FROM words WHERE words MATCH 'sea' ORDER BY rowid").all([])).toEqual([
      [7],
      [12],
    ])
  })

  test("[EVIEW16] the texts come to the hash of the view, tables for searching included", async () => {
    const all = filled(open)
    const manifest = await manifestOf(all)
    expect(await isTrueTo(manifest, all.tables, all.texts, digest)).toBe(true)
    for (const table of all.tables) {
      const hash = await rowsHash(table, all.texts.get(table.name) ?? "", digest)
      expect(hash, table.name).toBe(manifest.hash.tables[table.name])
    }
  })

  test("[EVIEW16] a text that was changed, is missing or is another table's is not taken", async () => {
    const all = filled(open)
    const manifest = await manifestOf(all)
    const changed: (readonly [string, string])[] = [
      ["numbered", (all.texts.get("numbered") ?? "").replace("i5", "i6")],
      ["words", (all.texts.get("words") ?? "").replace("i7", "i8")],
      ["empty", "n"],
    ]
    for (const [name, text] of changed) {
      const texts = new Map(all.texts).set(name, text)
      expect(await isTrueTo(manifest, all.tables, texts, digest), name).toBe(false)
    }
    const missing = new Map(all.texts)
    missing.delete("empty")
    expect(await isTrueTo(manifest, all.tables, missing, digest)).toBe(false)
    const lying = { ...manifest, hash: { ...manifest.hash, view: manifest.hash.tables.empty ?? "" } }
    expect(await isTrueTo(lying, all.tables, all.texts, digest)).toBe(false)
  })

  test("many kinds of rows in one table are put back with few statements at a time", () => {
    const { database, tables } = opened(open)
    const table = tables.find(({ name }) => name === "values_of_all_types")!
    const rows = new RowRestorer(database, table)
    const real = "r3ff0000000000000"
    const lines = Array.from({ length: 256 }, (_, at) => {
      const [a, b, c, d] = [1, 2, 4, 8].map((bit) => (at & bit) !== 0)
      return `i${at},${a ? real : "n"},${b ? real : "n"},${c ? "i1" : "n"},${d ? "tC3BC" : "n"},n,n`
    })
    for (const line of lines) expect(rows.insert(line, 0)).toBe(line.length + 1)
    rows.close()
    rows.close()
    expect(database.prepare("SELECT count(*), count(a), count(d) FROM values_of_all_types").all([])).toEqual([
      [256, 128, 128],
    ])
  })
})

test("[EVIEW16] a description that is none is refused", async () => {
  const manifest = await manifestOf(filled(openNodeSqlite))
  const sent: unknown = JSON.parse(JSON.stringify(manifest))
  expect(decodeManifest(sent)).toEqual({ ok: true, value: manifest })
  for (const field of Object.keys(manifest)) {
    expect(decodeManifest({ ...manifest, [field]: 7 }).ok, field).toBe(field === "savedAt")
    const { [field as keyof SnapshotManifest]: _, ...rest } = manifest
    expect(decodeManifest(rest).ok, field).toBe(false)
  }
  const halts = [{ source: "a", stream: "b" }]
  const tables = { t: { rows: -0.5, bytes: 1, hash: "" } }
  for (const wrong of [
    null,
    [],
    { ...manifest, halts },
    { ...manifest, tables },
    { ...manifest, cursor: { s: "a b" } },
  ])
    expect(decodeManifest(wrong).ok).toBe(false)
})
