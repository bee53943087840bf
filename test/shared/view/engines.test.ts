import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { openNodeSqlite } from "../../../client/node/node-sqlite.ts"
import { loadSqlite } from "../../../client/state/sqlite.ts"
import { parseStreamPath } from "../../../shared/ids.ts"
import type { SqlDatabase } from "../../../shared/sql.ts"
import { type CompiledView, compileView } from "../../../shared/view/compile.ts"
import { ViewFold } from "../../../shared/view/fold.ts"
import { RowRestorer } from "../../../shared/view/restore-rows.ts"
import { snapshotText } from "../../../shared/view/snapshot.ts"
import { tableLines } from "../../../shared/view/state-hash.ts"
import { anyCase, type Case } from "../../contract/engines/cases.ts"
import { foldInManner, foldPlainly, type Outcome } from "../../contract/engines/folding.ts"
import hashes from "../../contract/engines/hashes.json"
import { KEPT, keptCases, shortHash, shown } from "../../contract/engines/kept.ts"
import { PLAIN_VIEW, plainLines, plainMessages } from "../../contract/engines/plain-fold.ts"

const SLOW_MS = 240_000 // on a busy machine
const seed = Number(process.env.HEADWATER_SEED ?? KEPT.seed)

const wasm = await loadSqlite(
  await readFile(fileURLToPath(import.meta.resolve("@sqlite.org/sqlite-wasm/sqlite3.wasm"))),
)

type Open = (image?: Uint8Array<ArrayBuffer>) => ReturnType<typeof openNodeSqlite>
const openWasm: Open = (image) => wasm.open(image)

async function plainly(open: Open, given: Case): Promise<Outcome> {
  const database = open()
  const outcome = await foldPlainly(database, given)
  database.close()
  return outcome
}

/** Over a restart the rows are those of an image, in the same engine. */
async function inManner(open: Open, given: Case): Promise<Outcome> {
  let database = open()
  const reopen = (): SqlDatabase => {
    const left = database
    database = open(left.image())
    left.close()
    return database
  }
  const outcome = await foldInManner(database, reopen, given)
  database.close()
  return outcome
}

/** Over a restart the rows are those that the other engine has written down as text. */
async function throughTexts(open: Open, other: Open, given: Case): Promise<Outcome> {
  let database = open()
  const reopen = (left: SqlDatabase, view: CompiledView): SqlDatabase => {
    const fresh = other()
    compileView(fresh, "view", given.view)
    for (const table of view.sources.flatMap(({ owned }) => owned)) {
      const text = snapshotText(left, table)
      const rows = new RowRestorer(fresh, table)
      for (let at = 0; at < text.length; ) at = rows.insert(text, at)
      rows.close()
      expect(snapshotText(fresh, table), table.name).toBe(text)
    }
    left.close()
    database = fresh
    return fresh
  }
  const outcome = await foldInManner(database, reopen, given)
  database.close()
  return outcome
}

describe(`[VIEW24] equal events make equal rows (seed ${seed})`, () => {
  test(`the ${KEPT.cases} kept cases have the hashes that are written down`, {
    timeout: SLOW_MS,
  }, async () => {
    const found: string[] = []
    for (const [at, given] of keptCases().entries()) {
      const outcome = await plainly(openNodeSqlite, given)
      const other = await inManner(openWasm, given)
      expect(other, `WASM and node:sqlite, case ${at}\n${shown(given)}`).toEqual(outcome)
      const written = await throughTexts(openNodeSqlite, openWasm, given)
      expect(written, `rows written down and put back, case ${at}\n${shown(given)}`).toEqual(outcome)
      found.push(shortHash(outcome))
    }
    if (process.env.HEADWATER_KEEP_HASHES !== undefined) await keep(found)
    else expect(found).toEqual(hashes)
  })

  test("a view means the same in every manner and engine, drawn anew and made small", {
    timeout: SLOW_MS,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(anyCase, async (given) => {
        const outcome = await plainly(openWasm, given)
        expect(await inManner(openNodeSqlite, given)).toEqual(outcome)
      }),
      { seed: seed + 1, numRuns: 300 },
    )
  })

  test.each([
    ["node:sqlite", openNodeSqlite as Open],
    ["WASM", openWasm],
  ])("a fold that is written by hand has the rows of %s", (_, open) => {
    fc.assert(
      fc.property(plainMessages, (texts) => {
        const database = open()
        const fold = new ViewFold(database, compileView(database, "plain", PLAIN_VIEW), { one: "main" })
        fold.fold({
          stream: parseStreamPath("main"),
          messages: texts.map((text): unknown => JSON.parse(text)),
        })
        expect(tableLines(database, "kept")).toEqual(plainLines(texts))
        fold.close()
        database.close()
      }),
      { seed, numRuns: 500 },
    )
  })

  test("the property is a test: an engine that takes whole numbers for REAL is found, and so is one fold twice", async () => {
    const real: Open = (image) => withRealNumbers(openNodeSqlite(image))
    const isSame = async (given: Case) =>
      JSON.stringify(await plainly(real, given)) === JSON.stringify(await plainly(openNodeSqlite, given))
    const numbers = await fc.check(fc.asyncProperty(anyCase, isSame), {
      seed,
      numRuns: 100,
      endOnFailure: true,
    })
    expect(numbers.failed).toBe(true)
    const twice = await fc.check(
      fc.asyncProperty(anyCase, async (given) => {
        const again = { ...given, runs: [...given.runs, ...given.runs] }
        return (
          JSON.stringify(await plainly(openNodeSqlite, again)) ===
          JSON.stringify(await plainly(openNodeSqlite, given))
        )
      }),
      { seed, numRuns: 100, endOnFailure: true },
    )
    expect(twice.failed).toBe(true)
  })
})

/** An engine that binds whole numbers as a Durable Object does when nobody prevents it. */
function withRealNumbers(database: ReturnType<typeof openNodeSqlite>): ReturnType<typeof openNodeSqlite> {
  return Object.assign(Object.create(database), {
    exec: (sql: string) => database.exec(sql),
    close: () => database.close(),
    atomically: <T>(work: () => T): T => database.atomically(work),
    prepare(sql: string) {
      const statement = database.prepare(sql)
      const columns = statement.columns
      return {
        columns,
        all: (values: Parameters<typeof statement.all>[0]) => statement.all(values),
        finalize: () => statement.finalize(),
        run(values: Parameters<typeof statement.run>[0]) {
          const names = [...new Set(sql.match(/:[a-z][a-z_0-9]*/g) ?? [])]
          const whole = names.filter((_, at) => Number.isSafeInteger(values[at]))
          const text = whole.reduce((all, name) => all.replaceAll(name, `(${name}+0.0)`), sql)
          database.prepare(text).run(values)
        },
      }
    },
  })
}

/** Fifty to a line. */
async function keep(found: readonly string[]): Promise<void> {
  const file = fileURLToPath(new URL("../../contract/engines/hashes.json", import.meta.url))
  await writeFile(file, `${JSON.stringify(found, null, 2)}\n`)
}
