import { HeadwaterError } from "../../shared/errors.ts"
import { isJsonType } from "../../shared/http.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { PageText } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { coversPath, isPattern } from "../../shared/path-pattern.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import { checkStreams } from "../../shared/view/streams.ts"
import type { DirectoryNews } from "../directory/directory.ts"
import type { Page, ReadFault } from "../stream/stream-reads.ts"
import { type Feed, type FeedHalt, Feeds } from "./feeds.ts"
import { type FoldRecord, FoldRecords } from "./fold-record.ts"
import { SourceFolds } from "./source-folds.ts"
import { Statements } from "./statements.ts"
import type { FoldClaim, SkipAsk } from "./view-claim.ts"

export type FoldParts = {
  readonly database: SqlDatabase
  readonly bounds: Pick<Bounds, "viewStreamsMax" | "viewPollMsMin" | "viewPollMsMax">
}

export type Begun = { readonly kind: "begun" } | { readonly kind: "invalid"; readonly message: string }

/** How a skip went. */
export type Skipped = { readonly kind: "skipped" } | { readonly kind: "no-halt"; readonly message: string }

/**
 * One generation of a view: its rows, and how far each source has come with each of its streams. Every method is one
 * turn that decides and writes without waiting for anything. Rows, places and halts are written in one transaction, so
 * whoever looks between two turns sees rows that are the fold of exactly what lies before the places.
 *
 * What memory keeps is what is compiled, so it may be thrown away between any two turns.
 */
export class FoldCore {
  readonly #parts: FoldParts
  readonly #records: FoldRecords
  readonly #feeds: Feeds
  readonly #folds: SourceFolds
  #taken = 0

  constructor(parts: FoldParts) {
    this.#parts = parts
    const statements = new Statements(parts.database)
    this.#records = new FoldRecords(statements)
    this.#feeds = new Feeds(statements)
    this.#folds = new SourceFolds(parts.database, this.#records)
  }

  /** Compiles the view and begins it, in empty storage. Repeatable. What does not compile leaves nothing. */
  begin(claim: FoldClaim): Begun {
    if (this.#records.find() !== undefined) return { kind: "begun" }
    const { database, bounds } = this.#parts
    try {
      database.atomically(() => {
        checkStreams(compileView(database, claim.name, claim.view), claim.streams)
        this.#records.create(claim, bounds.viewPollMsMin)
        this.#feeds.create(claim.streams)
      })
      return { kind: "begun" }
    } catch (error) {
      this.forget()
      if (!(error instanceof HeadwaterError) || error.code !== "invalid-view") throw error
      return { kind: "invalid", message: error.message }
    }
  }

  /** All of it is gone, or another transaction was undone: memory begins anew. */
  forget(): void {
    this.#folds.forget()
    this.#records.forget()
  }

  find(): FoldRecord | undefined {
    return this.#records.find()
  }

  /** What it folds, compiled. */
  view(): CompiledView {
    return this.#folds.view()
  }

  feeds(): readonly Feed[] {
    return this.#feeds.all()
  }

  skips(): readonly SkipAsk[] {
    return this.#records.skips()
  }

  /** The streams that some source goes on with. */
  moving(): readonly StreamPath[] {
    return this.#feeds.moving()
  }

  /** The patterns among the streams. */
  patterns(): readonly string[] {
    return Object.values(this.#records.find()?.streams ?? {}).filter(isPattern)
  }

  isWatched(stream: string): boolean {
    return this.#feeds.isWatched(stream)
  }

  noteWatched(stream: string, isWatched: boolean): void {
    this.#feeds.noteWatched(stream, isWatched)
  }

  /** The places from which this stream is to be read on, one for most: sources that halted are behind others. */
  placesIn(stream: string): readonly Offset[] {
    const moving = this.#feeds.of(stream).filter(({ halt }) => halt === undefined)
    return [...new Set(moving.map(({ offset }) => offset))]
  }

  /** Folds what a stream has behind a place, for the sources that stand there. Answers whether it had anything. */
  take(stream: StreamPath, from: Offset, page: Page): boolean {
    const { contentType } = page
    if (!isJsonType(contentType)) {
      this.#stopAll(stream, from, { kind: "no-json", contentType })
      return true
    }
    const array = new TextDecoder().decode(page.body)
    const text: PageText = { from: page.from, next: page.next, text: array.slice(1, -1) }
    const messages = JSON.parse(array) as unknown[] // an array, as every page of such a stream is
    this.#undoable(() => {
      for (const feed of this.#standingAt(stream, from)) {
        const halted = this.#folds.fold(feed, messages, text)
        const isCaughtUp = feed.isCaughtUp || page.upToDate
        if (halted !== undefined) this.#feeds.write({ ...feed, ...halted, isCaughtUp: true })
        else if (page.next !== feed.offset || isCaughtUp !== feed.isCaughtUp)
          this.#feeds.write({ ...feed, offset: page.next, isCaughtUp })
      }
    })
    this.#taken += messages.length
    return messages.length > 0
  }

  /** Messages that this life of the object has folded, those once more that sources took at different times. */
  get taken(): number {
    return this.#taken
  }

  /** There is nothing to read at a place of a stream. */
  miss(stream: StreamPath, from: Offset, fault: ReadFault): void {
    if (from === START && (fault.kind === "missing" || fault.kind === "deleted")) {
      for (const feed of this.#standingAt(stream, from)) // it may come
        if (!feed.isCaughtUp) this.#feeds.write({ ...feed, isCaughtUp: true })
    } else this.#stopAll(stream, from, haltOf(fault))
  }

  /** Takes up streams that the directory has told of. */
  list({ paths, seq, isAll }: DirectoryNews): readonly string[] {
    const record = this.#records.find()
    if (record === undefined) return []
    const { viewStreamsMax } = this.#parts.bounds
    const fresh: string[] = []
    this.#undoable(() => {
      let leftOut = record.leftOut
      let count = this.#feeds.count()
      for (const path of paths) {
        for (const [source, pattern] of Object.entries(record.streams)) {
          if (!isPattern(pattern) || !coversPath(pattern, path)) continue
          if (this.#feeds.of(path).some((feed) => feed.source === source)) continue
          if (count >= viewStreamsMax) leftOut++
          else {
            this.#feeds.add(source, path)
            fresh.push(path)
            count++
          }
        }
      }
      const isListed = record.isListed || isAll
      if (seq !== record.listedTo || isListed !== record.isListed || leftOut !== record.leftOut)
        this.#records.note({ ...record, listedTo: seq, isListed, leftOut })
    })
    return fresh
  }

  /** Takes note if all is there for the first time. Answers whether the view has to be told. */
  isBuilt(): boolean {
    const record = this.#records.find()
    if (record === undefined || record.phase === "live") return false
    if (record.phase === "built") return true
    const isListed = record.isListed || this.patterns().length === 0
    if (!isListed || this.#feeds.isBehind()) return false
    this.#records.note({ ...record, phase: "built" })
    return true
  }

  /** The view answers from here now. */
  goLive(): void {
    const record = this.#records.find()
    if (record !== undefined && record.phase !== "live") this.#records.note({ ...record, phase: "live" })
  }

  /** How long to wait for news, now that it was looked without having been told. */
  polled(hasFound: boolean): number {
    const record = this.#records.find()
    const { viewPollMsMin, viewPollMsMax } = this.#parts.bounds
    if (record === undefined) return viewPollMsMax
    const pollMs = hasFound ? viewPollMsMin : Math.min(2 * record.pollMs, viewPollMsMax)
    if (pollMs !== record.pollMs) this.#records.note({ ...record, pollMs })
    return pollMs
  }

  /** Lets a source go on behind what it halts at. */
  skip(ask: SkipAsk): Skipped {
    const feed = this.#feeds.of(ask.stream).find(({ source }) => source === ask.source)
    if (feed?.halt === undefined)
      return noHalt(`Source "${ask.source}" does not stand still for ${ask.stream}.`)
    const { halt } = feed
    if ("event" in ask && !(halt.kind === "event" && halt.event.id === ask.event))
      return noHalt(`Source "${ask.source}" does not stand still at the event ${ask.event}.`)
    if ("earliest" in ask && !(halt.kind === "trimmed" && halt.earliest === ask.earliest))
      return noHalt(`Source "${ask.source}" does not stand still before ${ask.earliest}.`)
    const offset = halt.kind === "trimmed" ? halt.earliest : feed.offset
    this.#undoable(() => {
      this.#records.skip(ask)
      this.#feeds.write({ ...feed, offset, halt: undefined })
    })
    this.#folds.forget()
    return { kind: "skipped" }
  }

  #standingAt(stream: string, from: Offset): Feed[] {
    return this.#feeds.of(stream).filter(({ offset, halt }) => halt === undefined && offset === from)
  }

  #stopAll(stream: string, from: Offset, halt: FeedHalt): void {
    this.#undoable(() => {
      for (const feed of this.#standingAt(stream, from))
        this.#feeds.write({ ...feed, isCaughtUp: true, halt })
    })
  }

  #undoable(work: () => void): void {
    try {
      this.#parts.database.atomically(work)
    } catch (error) {
      this.#records.forget()
      throw error
    }
  }
}

function haltOf(fault: ReadFault): FeedHalt {
  switch (fault.kind) {
    case "missing":
    case "deleted":
      return { kind: "deleted" }
    case "gone":
      return { kind: "recreated" }
    case "lost":
      return { kind: "rolled-back" }
    case "trimmed":
      return { kind: "trimmed", earliest: fault.earliest }
    case "malformed":
      throw new Error(`Headwater bug: ${fault.reason}`)
  }
}

function noHalt(message: string): Skipped {
  return { kind: "no-halt", message }
}
