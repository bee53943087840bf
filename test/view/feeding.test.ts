import { expect, test } from "vitest"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import type { Millis, StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { readIssuedOffset } from "../../shared/offset.ts"
import { Directory } from "../../worker/directory/directory.ts"
import { httpBody } from "../../worker/stream/append-body.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import type { Page, ReadFault } from "../../worker/stream/stream-reads.ts"
import { Feeding } from "../../worker/view/feeding.ts"
import { FoldCore } from "../../worker/view/fold-core.ts"
import { Random } from "../simulation/random.ts"
import { MemoryHost } from "../stream/memory-host.ts"

const RUNS = Number(process.env.HEADWATER_RUNS ?? 150)
const SEED = Number(process.env.HEADWATER_SEED ?? 2026)
const STEPS = 60

const VIEW = {
  log: {
    tables: ["CREATE TABLE log (stream TEXT, n INTEGER, PRIMARY KEY (stream, n)) STRICT"],
    on: { put: ["INSERT INTO log VALUES (:event_stream, :n)"] },
  },
  sums: {
    tables: [
      "CREATE TABLE sums (stream TEXT PRIMARY KEY, total INTEGER, count INTEGER CHECK (count <> 13)) STRICT",
    ],
    on: {
      put: [
        "INSERT INTO sums VALUES (:event_stream, 0, 0) ON CONFLICT DO NOTHING",
        "UPDATE sums SET total = total + :n, count = count + 1 WHERE stream = :event_stream",
      ],
    },
  },
}

const bytes = (text: string) => Uint8Array.from(new TextEncoder().encode(text))

/** Streams, a directory and the fold of a view, of which everything that is not stored may go at any time. */
class World {
  readonly random: Random
  readonly #streams = new Map<
    string,
    { readonly host: MemoryHost; core: StreamCore; readonly texts: string[] }
  >()
  readonly #database = openNodeSqlite()
  readonly #directory: Directory
  /** Streams that tell, and how often they were asked to. */
  readonly #watched = new Map<string, number>()
  core: FoldCore
  #feeding: Feeding
  /** Everything that an earlier life began fails. */
  #life = 0
  #isListWatched = false
  faults = 0.2
  time = 1_800_000_000_000
  alarm: number | undefined
  isLive = false
  folds = 0

  constructor(seed: number) {
    this.random = new Random(seed, "view")
    const database = new MemoryHost()
    this.#directory = new Directory({
      bounds: { directoryPageMax: 2 },
      exec: (sql, ...values) => database.exec(sql, ...values),
      listener: () => ({ news: async () => true }),
    })
    this.core = this.#newCore()
    this.#feeding = this.#newFeeding()
    const claim = { name: "view", generation: 1, view: VIEW, streams: { log: "a/*", sums: "a/*" }, skips: [] }
    expect(this.core.begin(claim)).toEqual({ kind: "begun" })
    this.alarm = this.time
  }

  create(): void {
    const path = `${this.random.pick(["a", "b"])}/${this.#streams.size}`
    const host = new MemoryHost()
    const core = new StreamCore(host)
    const claim = {
      contentType: "application/json",
      lifetime: { kind: "endless" },
      retention: {},
      closed: false,
    } as const
    core.create({ ...claim, principal: undefined }, httpBody(bytes("")))
    this.#streams.set(path, { host, core, texts: [] })
    this.#directory.there(path, 1)
    if (this.#isListWatched && !this.random.chance(this.faults)) void this.#feeding.streamsCame()
  }

  append(): void {
    if (this.#streams.size === 0) return
    const [path, stream] = this.random.pick([...this.#streams])
    const texts = Array.from({ length: this.random.whole(1, 4) }, (_, at) => {
      const n = stream.texts.length + at
      return JSON.stringify({
        id: `${path}-${n}`,
        type: this.random.pick(["put", "put", "other"]),
        data: { n },
      })
    })
    const claim = { contentType: "application/json", producer: undefined, streamSeq: undefined }
    const more = { expectedOffset: undefined, close: false, principal: undefined }
    stream.core.append({ ...claim, ...more }, httpBody(bytes(`[${texts.join(",")}]`)))
    stream.texts.push(...texts)
    if (this.#watched.has(path) && !this.random.chance(this.faults)) void this.#tell(path)
  }

  async #tell(path: string): Promise<void> {
    const asked = this.#watched.get(path)
    const isWanted = await this.#feeding.news(path as StreamPath)
    if (!isWanted && this.#watched.get(path) === asked) this.#watched.delete(path)
  }

  /** Appends to every stream, and tells without a fault: nothing is left to a look without news. */
  async appendEverywhere(): Promise<void> {
    for (let n = 0; n < 20; n++) this.append()
    for (let n = 0; n < 200; n++) {
      await pause()
      if (this.alarm !== undefined && this.alarm <= this.time) await this.ring() // where a run went on by itself
    }
  }

  /** The object is thrown out of memory. */
  evict(): void {
    this.#life++
    this.core = this.#newCore()
    this.#feeding = this.#newFeeding()
  }

  async ring(): Promise<void> {
    if (this.alarm === undefined) return
    this.time = Math.max(this.time, this.alarm)
    this.alarm = undefined
    await this.#feeding.look()
  }

  async settle(): Promise<void> {
    this.faults = 0
    for (let [rings, looks] = [0, 0]; looks < 3; rings++) {
      expect(rings).toBeLessThan(1_000)
      await this.ring()
      await pause()
      const isResting = this.alarm !== undefined && this.alarm >= this.time + LIMITS.viewPollMsMin
      if (isResting) looks++
    }
  }

  /** Rows are the fold of exactly what lies before the places that are told, source by source. */
  check(): void {
    const log = this.#rows("SELECT stream, n FROM log ORDER BY stream, n")
    const sums = this.#rows("SELECT stream, total, count FROM sums ORDER BY stream")
    const expected = { log: [] as unknown[], sums: [] as unknown[] }
    for (const feed of this.core.feeds()) {
      const position = readIssuedOffset(feed.offset)?.position ?? 0
      const folded = (this.#streams.get(feed.stream)?.texts ?? [])
        .slice(0, position)
        .map((text) => JSON.parse(text) as { id: string; type: string; data: { n: number } })
        .filter(({ type, id }) => type === "put" && !this.#isSkipped(feed.source, id))
      if (feed.source === "log") expected.log.push(...folded.map(({ data }) => [feed.stream, data.n]))
      else if (folded.length > 0) {
        const total = folded.reduce((sum, { data }) => sum + data.n, 0)
        expected.sums.push([feed.stream, total, folded.length])
      }
    }
    expect({ log, sums }).toEqual(expected)
  }

  /** All that there is was folded, but what stands still; nothing else stands still than what has to. */
  checkWhole(): void {
    this.check()
    const matching = [...this.#streams].filter(([path]) => path.startsWith("a/"))
    expect(this.core.feeds()).toHaveLength(2 * matching.length)
    for (const feed of this.core.feeds()) {
      const length = this.#streams.get(feed.stream)?.texts.length
      if (feed.halt === undefined) expect(readIssuedOffset(feed.offset)?.position ?? 0).toBe(length)
      else {
        expect([feed.source, feed.halt.kind]).toEqual(["sums", "event"])
        const event = feed.halt.kind === "event" ? feed.halt.event.id : ""
        expect(this.#isSkipped(feed.source, event)).toBe(false)
      }
    }
    expect(this.isLive).toBe(true)
    expect(this.alarm).toBeGreaterThan(this.time)
  }

  /** What goes on is up to date. */
  checkToldAll(): void {
    this.check()
    for (const { stream, offset, halt } of this.core.feeds()) {
      if (halt !== undefined) continue
      expect(readIssuedOffset(offset)?.position ?? 0).toBe(this.#streams.get(stream)?.texts.length)
    }
  }

  skipHalts(): number {
    const halted = this.core.feeds().filter(({ halt }) => halt?.kind === "event")
    for (const { source, stream, halt } of halted) {
      const event = halt?.kind === "event" ? halt.event.id : ""
      expect(this.core.skip({ source, stream, event })).toEqual({ kind: "skipped" })
    }
    this.alarm = this.time
    return halted.length
  }

  #isSkipped(source: string, event: string): boolean {
    return this.core.skips().some((skip) => skip.source === source && "event" in skip && skip.event === event)
  }

  #rows(sql: string): unknown[] {
    return this.#database.prepare(sql).all([])
  }

  #newCore(): FoldCore {
    return new FoldCore({ database: this.#database, bounds: LIMITS })
  }

  #newFeeding(): Feeding {
    const life = this.#life
    /** What is outside answers later, or fails, or has lost who asked. */
    const outside = async <T>(work: () => T): Promise<T> => {
      await pause()
      if (this.random.chance(this.faults)) throw new Error("a fault")
      const answer = work()
      await pause()
      if (life !== this.#life) return new Promise<T>(() => undefined) // nobody waits for it any more
      return answer
    }
    return new Feeding({
      core: this.core,
      bounds: { ...LIMITS, viewPageBytesMax: 60, viewTurnBytesMax: this.random.pick([100, 1_000, 100_000]) },
      now: () => this.time as Millis,
      wakeAt: (at) => {
        if (life === this.#life) this.alarm = Math.min(at, this.alarm ?? at)
      },
      restUntil: (at) => {
        if (life === this.#life) this.alarm = at
      },
      read: (stream, from, bytesMax) => outside(() => this.#read(stream, from, bytesMax)),
      watch: (stream) => outside(() => void this.#watched.set(stream, (this.#watched.get(stream) ?? 0) + 1)),
      watchDirectory: () =>
        outside(() => {
          this.#isListWatched = true
        }),
      listed: (seq, patterns) => outside(() => this.#directory.since(seq, patterns)),
      built: () =>
        outside(() => {
          this.isLive = true
          return true
        }),
      folded: () => {
        this.folds++
      },
      rested: () => undefined,
      failed: () => undefined,
    })
  }

  #read(stream: string, offset: string, bytesMax: number): Page | ReadFault {
    const found = this.#streams.get(stream)
    if (found === undefined) return { kind: "missing" }
    const read = found.core.reads.read({ offset, bytesMax, isQuiet: true })
    if (read.kind === "sealed" || read.kind === "inherited") throw new Error("Nothing is sealed here.")
    return read
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

test("[EVIEW3] rows are the fold of what lies before the places, whatever fails and whenever memory is lost", async () => {
  let [folds, halts] = [0, 0]
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const world = new World(seed)
    for (let step = 0; step < STEPS; step++) {
      const draw = world.random.next()
      if (draw < 0.08) world.create()
      else if (draw < 0.55) world.append()
      else if (draw < 0.65) world.evict()
      else if (draw < 0.8) void world.ring()
      else await pause()
      world.check()
    }
    await world.settle()
    world.checkWhole()
    halts += world.skipHalts()
    await world.settle()
    world.checkWhole()
    await world.appendEverywhere()
    world.checkToldAll()
    folds += world.folds
  }
  console.log(`${RUNS} worlds: ${folds} turns of folding, ${halts} halts skipped`)
  expect(folds).toBeGreaterThan(10 * RUNS)
  expect(halts).toBeGreaterThan(0)
})
