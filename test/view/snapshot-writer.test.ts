import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { compileView } from "../../shared/view/compile.ts"
import { decodeManifest, isTrueTo } from "../../shared/view/snapshot.ts"
import { SnapshotRecords } from "../../worker/view/snapshot-records.ts"
import { type RowStore, type SnapshotDraft, SnapshotWriter } from "../../worker/view/snapshot-writer.ts"
import { Statements } from "../../worker/view/statements.ts"

const VIEW = {
  notes: {
    tables: [
      "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT) STRICT",
      "CREATE TABLE tags (tag TEXT PRIMARY KEY) STRICT",
      "CREATE VIRTUAL TABLE words USING fts5(text)",
    ],
    on: {},
  },
}
const PREFIX = "views/one/"
/** More than any snapshot takes. */
const STEPS_MAX = 40

type Step = "before" | "after"

/** Storage and store of one generation, which fail at the step that they are told to. */
class Place {
  readonly database = openNodeSqlite()
  readonly objects = new Map<string, string>()
  readonly puts: string[] = []
  readonly records = new SnapshotRecords(new Statements(this.database))
  readonly #tables = compileView(this.database, "notes", VIEW).sources.flatMap(({ owned }) => owned)
  readonly #writer: SnapshotWriter
  #time = 0
  steps = 0
  /** What happens around a step, before it and after it. */
  onStep: (step: number, when: Step) => void = () => undefined

  constructor() {
    const store: RowStore = {
      put: (key, object, sha256) =>
        this.#step(() => {
          expect(createHash("sha256").update(object).digest("hex")).toBe(sha256)
          this.puts.push(key)
          this.objects.set(key, new TextDecoder().decode(object))
        }),
      keys: (prefix) => this.#step(() => [...this.objects.keys()].filter((key) => key.startsWith(prefix))),
      delete: (keys) => this.#step(() => keys.forEach((key) => void this.objects.delete(key))),
      deleteAll: () => this.#step(() => this.objects.clear()),
    }
    const digest = (bytes: Uint8Array) => this.#step(() => sha256(bytes))
    this.#writer = new SnapshotWriter({
      database: this.database,
      records: this.records,
      store,
      prefix: PREFIX,
      digest,
    })
  }

  write(isOver: SnapshotDraft["isOver"] = () => false): Promise<void> {
    this.steps = 0
    const savedAt = ++this.#time as Millis
    const head = { key: "k", streams: { notes: "a" }, cursor: {}, halts: [], skipped: [], savedAt }
    return this.#writer.write({ head, messages: savedAt, tables: this.#tables, isOver })
  }

  clear(): Promise<void> {
    return this.#writer.clear()
  }

  /** Something new in each table but the one of tags. */
  add(text: string): void {
    const statements = new Statements(this.database)
    statements.run("INSERT INTO notes (text) VALUES (?)", text)
    statements.run("INSERT INTO words VALUES (?)", `${text}!`)
  }

  /** Whether each manifest that is kept tells the truth, by what the store holds. */
  async expectTrue(): Promise<void> {
    for (const json of this.records.manifests()) {
      const manifest = decodeManifest(JSON.parse(json))
      if (!manifest.ok) throw new Error(manifest.reason)
      const texts = new Map(
        Object.entries(manifest.value.tables).map(([name, { hash, rows, bytes }]) => {
          const text = this.objects.get(PREFIX + hash)
          expect([text?.length, text === "" ? 0 : text?.split("\n").length]).toEqual([bytes, rows])
          return [name, text ?? ""]
        }),
      )
      expect(await isTrueTo(manifest.value, this.#tables, texts, async (bytes) => sha256(bytes))).toBe(true)
    }
  }

  /** Whether nothing is stored that no manifest names. */
  expectTidy(): void {
    const named = [...this.records.named()].map((hash) => PREFIX + hash)
    expect([...this.objects.keys()].sort()).toEqual(named.sort())
  }

  async #step<T>(work: () => T): Promise<T> {
    const step = this.steps++
    this.onStep(step, "before")
    const done = work()
    this.onStep(step, "after")
    return done
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash("sha256").update(bytes).digest())
}

test("[EVIEW17] the newest two snapshots are kept, and what only older ones name goes", async () => {
  const place = new Place()
  for (let n = 1; n <= 4; n++) {
    place.add(`note ${n}`)
    await place.write()
    await place.expectTrue()
    place.expectTidy()
    expect(place.records.manifests()).toHaveLength(Math.min(n, 2))
    expect(place.records.last()).toEqual({ messages: n, savedAt: n })
  }
  expect(place.objects.size).toBe(5) // the empty table is the same in both
})

test("[EVIEW17] a table that has not changed is not stored again", async () => {
  const place = new Place()
  place.add("a note")
  await place.write()
  expect(place.puts).toHaveLength(3)
  await place.write()
  expect(place.puts).toHaveLength(3)
  await place.expectTrue()
})

test.each<Step>(["before", "after"])(
  "[EVIEW17] stopped %s any step, what was there stays true, and the next snapshot clears what is left over",
  async (when) => {
    let failures = 0
    for (let stop = 0; stop < STEPS_MAX; stop++) {
      const place = new Place()
      for (const text of ["one", "two"]) {
        place.add(text)
        await place.write()
      }
      place.add("three")
      place.onStep = (step, now) => {
        if (step === stop && now === when) throw new Error("stopped")
      }
      const isStopped = await place.write().then(
        () => false,
        () => true,
      )
      if (isStopped) failures++
      expect(isStopped).toBe(stop < place.steps)
      await place.expectTrue()
      expect(place.records.manifests()).toHaveLength(2)
      place.onStep = () => undefined
      place.add("four")
      await place.write()
      await place.expectTrue()
      place.expectTidy()
    }
    expect(failures).toBe(10) // six digests, two puts, a listing and a deletion
  },
)

test("[EVIEW17] a generation that ends at any step is read and written no more, and leaves nothing", async () => {
  let ended = 0
  for (let stop = 0; stop < STEPS_MAX; stop++) {
    const place = new Place()
    place.add("one")
    await place.write()
    place.add("two")
    let isOver = false
    place.onStep = (step, when) => {
      if (step === stop && when === "after" && !isOver) {
        isOver = true
        place.database.close() // whoever asks it from here on fails
      }
    }
    await place.write(() => isOver)
    if (isOver) ended++
    await place.clear()
    expect([...place.objects]).toEqual([])
  }
  expect(ended).toBe(9) // the same, with nothing to delete
})

test("[EVIEW15] a place that takes more than a row is not written down", () => {
  const writer = new SnapshotWriter({} as ConstructorParameters<typeof SnapshotWriter>[0]) // it asks for nothing
  const head = { key: "k", streams: {}, cursor: {}, halts: [], skipped: [], savedAt: 0 as Millis }
  expect(writer.hasRoomFor(head)).toBe(true)
  expect(writer.hasRoomFor({ ...head, key: "ä".repeat(LIMITS.sqlValueBytesMax / 4) })).toBe(false)
})
