import { DurableObject } from "cloudflare:workers"
import { assert } from "../../shared/assert.ts"
import type { Millis, StreamPath } from "../../shared/ids.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { type StateHash, stateHash } from "../../shared/view/state-hash.ts"
import { ANYONE } from "../access/caller.ts"
import { now } from "../clock.ts"
import { boundsFor } from "../configuration.ts"
import { DIRECTORY_NAME } from "../directory/name.ts"
import type { Env } from "../env.ts"
import { readPiece } from "../http/read-page.ts"
import { log } from "../log.ts"
import { R2Store } from "../segments/r2-store.ts"
import { alarmTime, SharedAlarm } from "../stream/shared-alarm.ts"
import type { Page, ReadFault } from "../stream/stream-reads.ts"
import { type Cursor, cursorOf } from "./cursor.ts"
import { digest } from "./digest.ts"
import { openDurableSqlite } from "./do-sqlite.ts"
import { Feeding } from "./feeding.ts"
import { type Begun, FoldCore, type Skipped } from "./fold-core.ts"
import { FoldReads, type FoldReport, type NoFold, type QueryAnswer, type QueryAsk } from "./fold-reads.ts"
import { Pause } from "./pause.ts"
import { SnapshotRecords } from "./snapshot-records.ts"
import { rowsPrefix, SnapshotWriter } from "./snapshot-writer.ts"
import { type SnapshotAnswer, Snapshots } from "./snapshots.ts"
import { Statements } from "./statements.ts"
import { type FoldClaim, foldName, type SkipAsk } from "./view-claim.ts"

export type HashAnswer =
  | (StateHash & { readonly kind: "hash"; readonly cursor: Cursor })
  | { readonly kind: "too-much"; readonly message: string }
  | NoFold

/**
 * The object of one generation of a view: it lends its storage, clock and alarm to the core, and reads streams for it.
 */
export class FoldObject extends DurableObject<Env> {
  readonly #core: FoldCore
  readonly #feeding: Feeding
  readonly #reads: FoldReads
  readonly #snapshots: Snapshots
  readonly #alarm: SharedAlarm
  readonly #pause = new Pause()

  constructor(state: DurableObjectState, env: Env) {
    super(state, env)
    const { storage } = state
    const bounds = boundsFor(env)
    const database = openDurableSqlite(storage)
    const limited = openDurableSqlite(storage, {
      rowsMax: bounds.queryRowsMax,
      bytesMax: bounds.queryBytesMax,
      rowsReadMax: bounds.queryRowsReadMax,
    })
    this.#alarm = new SharedAlarm((at) => void storage.setAlarm(at))
    const wakeAt = (at: Millis) => this.#alarm.wakeAt(alarmTime(at, now()))
    this.#core = new FoldCore({ database, bounds })
    const directory = env.DIRECTORY?.getByName(DIRECTORY_NAME)
    this.#feeding = new Feeding({
      core: this.#core,
      bounds,
      now,
      wakeAt,
      restUntil: (at) => this.#alarm.restUntil(alarmTime(at, now())),
      read: (stream, from, bytesMax) => this.#read(stream, from, bytesMax),
      watch: async (stream) => env.STREAMS.getByName(stream).watch(this.#name(), stream),
      watchDirectory: async (patterns) => directory?.watch(this.#name(), patterns),
      listed: async (seq, patterns) =>
        (await directory?.since(seq, patterns)) ?? { paths: [], seq, isAll: true },
      built: async () => {
        const record = this.#core.find()
        if (record === undefined || env.VIEWS === undefined) return false
        return env.VIEWS.getByName(record.name).built(record.generation)
      },
      folded: () => this.#pause.end(),
      rested: () => this.#snapshots.look(),
      failed: (error) => log("fold failed", { object: state.id.toString(), error: String(error) }),
    })
    const records = new SnapshotRecords(new Statements(database))
    this.#snapshots = new Snapshots({
      core: this.#core,
      records,
      writer: this.#snapshotWriter(database, records),
      bounds,
      now,
      isKept: async (stream, offset) => {
        const { kind } = await env.STREAMS.getByName(stream).readForView({ offset, end: offset })
        return kind !== "trimmed"
      },
      size: () => storage.sql.databaseSize,
      still: (work) => this.#feeding.still(work),
      failed: (error) => log("snapshot failed", { object: state.id.toString(), error: String(error) }),
    })
    this.#reads = new FoldReads({
      core: this.#core,
      database,
      limited,
      bounds,
      now,
      folded: (until) => this.#pause.until(until, now()),
      hurry: (streams) => void this.#hurry(streams),
    })
    void state.blockConcurrencyWhile(async () => {
      this.#alarm.restore(((await storage.getAlarm()) ?? undefined) as Millis | undefined) // set from one
    })
  }

  /** Begins a generation. Repeatable. */
  begin(claim: FoldClaim): Begun {
    const begun = this.#core.begin(claim)
    if (begun.kind === "begun") this.#alarm.wakeAt(now())
    return begun
  }

  /** A stream that is watched has something new. Answers whether it still is. Resolves when that is folded. */
  news(stream: string): Promise<boolean> {
    return this.#feeding.news(stream as StreamPath) // as it was given to the stream
  }

  /** The directory has new streams of its patterns. Answers whether it still has any. */
  streamsCame(): Promise<boolean> {
    return this.#feeding.streamsCame()
  }

  query(ask: QueryAsk): Promise<QueryAnswer> {
    return this.#reads.query(ask)
  }

  report(): FoldReport | NoFold {
    return this.#reads.report()
  }

  skip(ask: SkipAsk): Skipped | NoFold {
    if (this.#core.find() === undefined) return { kind: "no-fold" }
    const skipped = this.#core.skip(ask)
    if (skipped.kind === "skipped") this.#feeding.resume(ask.stream as StreamPath) // it has halts, so it is one
    return skipped
  }

  /** What the rows come to. Nothing is folded meanwhile. */
  async hash(): Promise<HashAnswer> {
    const { viewHashBytesMax } = boundsFor(this.env)
    const { databaseSize } = this.ctx.storage.sql
    if (this.#core.find() === undefined) return { kind: "no-fold" }
    if (databaseSize > viewHashBytesMax) {
      const message = `A view is hashed up to ${viewHashBytesMax} bytes; this one has ${databaseSize}.`
      return { kind: "too-much", message }
    }
    return this.#feeding.still(async () => {
      const tables = this.#core.view().sources.flatMap((source) => source.tables)
      const cursor = cursorOf(this.#core.feeds())
      const hash = await stateHash(openDurableSqlite(this.ctx.storage), tables, digest)
      return { kind: "hash" as const, cursor, ...hash }
    })
  }

  /** The newest snapshot that a client can go on from. */
  snapshot(): Promise<SnapshotAnswer> {
    return this.#snapshots.usable()
  }

  /** This generation is over: all of it goes. Repeatable. */
  async end(): Promise<void> {
    await this.#snapshots.stop()
    await this.ctx.storage.deleteAlarm()
    await this.ctx.storage.deleteAll()
    this.#core.forget()
    this.#alarm.restore(undefined)
    this.#pause.end()
    await this.#snapshots.clear()
  }

  override async alarm(): Promise<void> {
    this.#alarm.ring()
    await this.#feeding.look()
    await this.#snapshots.settled()
  }

  async #hurry(streams: readonly string[]): Promise<void> {
    for (const stream of streams) await this.#feeding.news(stream as StreamPath) // one that is none is found so
  }

  /** What a stream has behind a place, whoever holds it. What lies inside one holder has one generation of offsets. */
  async #read(stream: string, from: string, bytesMax: number): Promise<Page | ReadFault> {
    const { STREAMS: streams, SEGMENTS } = this.env
    const object = streams.getByName(stream)
    const stub = { read: (ask: Parameters<typeof object.readForView>[0]) => object.readForView(ask) }
    const store = SEGMENTS && new R2Store(SEGMENTS)
    const source = { stub, caller: ANYONE, streams, store, readBytesMax: bytesMax }
    const piece = await readPiece(source, from, { bytesMax })
    if (piece.kind !== "piece") return piece
    return piece.goesOn ? { ...piece.page, upToDate: false } : piece.page
  }

  #snapshotWriter(database: SqlDatabase, records: SnapshotRecords): SnapshotWriter | undefined {
    const { SEGMENTS } = this.env
    const prefix = rowsPrefix(this.ctx.id.toString())
    return SEGMENTS && new SnapshotWriter({ database, records, store: new R2Store(SEGMENTS), prefix, digest })
  }

  /** By which others find this object. */
  #name(): string {
    const record = this.#core.find()
    assert(record !== undefined, "only what folds is told of news")
    return foldName(record.name, record.generation)
  }
}
