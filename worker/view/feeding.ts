import type { Millis, StreamPath } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import type { DirectoryNews } from "../directory/directory.ts"
import type { Page, ReadFault } from "../stream/stream-reads.ts"
import type { FoldCore } from "./fold-core.ts"

export type FeedingParts = {
  readonly core: FoldCore
  readonly bounds: Pick<Bounds, "viewPageBytesMax" | "viewTurnBytesMax" | "viewRetryMs" | "viewPollMsMin">
  now(): Millis
  wakeAt(at: Millis): void
  /** The same, in place of whatever was asked before. */
  restUntil(at: Millis): void
  /** What a stream has behind a place, some batches of it. */
  read(stream: string, from: Offset, bytesMax: number): Promise<Page | ReadFault>
  /** Asks a stream to tell of what is new. */
  watch(stream: string): Promise<void>
  /** Asks the directory to tell of new streams. */
  watchDirectory(patterns: readonly string[]): Promise<void>
  listed(seq: number, patterns: readonly string[]): Promise<DirectoryNews>
  /** Tells the view that this generation is whole. Answers whether it is the one to answer from. */
  built(): Promise<boolean>
  /** Hears that rows or places have changed. */
  folded(): void
  /** Hears that all is folded that was heard of. */
  rested(): void
  failed(error: unknown): void
}

/**
 * Brings rows up to what the streams hold: reads a page, folds it in one turn, and so on, stream by stream, page by
 * page in turns, so that a long stream does not keep the others waiting. One run is under way at a time; whoever brings
 * news waits for it, so a stream that tells of news does not tell of more before they are folded.
 *
 * A run ends when there is nothing more, or when it has read so much that the alarm should go on. Whatever fails stays
 * to be done, and is tried again by the alarm. That one rings by itself in any case, later and later while nothing
 * comes, and then looks at everything: so what was lost in memory, and who forgot to tell, is found.
 */
export class Feeding {
  readonly #parts: FeedingParts
  /** Streams that may have more. */
  readonly #behind = new Set<StreamPath>()
  #isListBehind = false
  #run: Promise<void> | undefined
  #hasFailed = false
  #isWatchingDirectory = false

  constructor(parts: FeedingParts) {
    this.#parts = parts
  }

  /**
   * A stream has something new. Answers whether anybody here wants to know. A source that stands still does not: should
   * it go on one day, the stream is asked once more to tell.
   */
  async news(stream: StreamPath): Promise<boolean> {
    const { core } = this.#parts
    if (core.find() === undefined) return false
    if (core.placesIn(stream).length === 0) {
      core.noteWatched(stream, false)
      return false
    }
    this.#behind.add(stream)
    await this.#hear()
    return true
  }

  /** The directory has new streams. */
  async streamsCame(): Promise<boolean> {
    const { core } = this.#parts
    if (core.find() === undefined || core.patterns().length === 0) return false
    this.#isListBehind = true
    await this.#hear()
    return true
  }

  /** Goes on because somebody brought news. Should that be lost with the memory, the alarm finds it soon. */
  async #hear(): Promise<void> {
    const { core, now, wakeAt, bounds } = this.#parts
    wakeAt((now() + bounds.viewPollMsMin) as Millis) // a time plus a duration
    core.polled(true)
    await this.go()
  }

  /** What the alarm is for: to go on where a run ended, or to look at everything. */
  async look(): Promise<void> {
    const { core, now, wakeAt, restUntil, bounds } = this.#parts
    if (core.find() === undefined) return
    wakeAt((now() + bounds.viewPollMsMin) as Millis) // for whoever is interrupted here; a time plus a duration
    const isPoll = !this.#isBehind
    if (isPoll) this.lookAtAll()
    const foldedBefore = this.#pages
    await this.go()
    if (core.find() === undefined || this.#isBehind) return // the end of the run has seen to it
    const pollMs = isPoll ? core.polled(this.#pages !== foldedBefore) : (core.find()?.pollMs ?? 0)
    if (!this.#hasFailed) restUntil((now() + pollMs) as Millis) // a time plus a duration
  }

  /** A source that stood still for this stream goes on, at the latest when the alarm rings. */
  resume(stream: StreamPath): void {
    const { now, wakeAt } = this.#parts
    this.#behind.add(stream)
    wakeAt(now())
  }

  lookAtAll(): void {
    for (const stream of this.#parts.core.moving()) this.#behind.add(stream)
    this.#isListBehind = this.#parts.core.patterns().length > 0
  }

  /** Resolves when the run that is under way, or a new one, has ended. Does not reject. */
  go(): Promise<void> {
    this.#run ??= this.#feed().finally(() => {
      this.#run = undefined
      if (!this.#isBehind && !this.#hasFailed) this.#parts.rested()
    })
    return this.#run
  }

  /** Runs `work` while nothing is folded. */
  async still<T>(work: () => Promise<T>): Promise<T> {
    while (this.#run !== undefined) await this.#run
    const working = work()
    this.#run = working.then(nothing, nothing)
    return working.finally(() => {
      this.#run = undefined
      void this.go() // for what came meanwhile
    })
  }

  get #isBehind(): boolean {
    return this.#behind.size > 0 || this.#isListBehind
  }

  /** Pages that brought anything. */
  #pages = 0

  async #feed(): Promise<void> {
    const { core, bounds, now, wakeAt } = this.#parts
    this.#hasFailed = false
    let room = bounds.viewTurnBytesMax
    while (this.#isBehind && room > 0 && !this.#hasFailed && core.find() !== undefined) {
      if (this.#isListBehind) await this.#attempt(() => this.#list())
      for (const stream of [...this.#behind]) {
        if (room <= 0) break
        await this.#attempt(async () => {
          room -= await this.#feedOne(stream)
        })
      }
    }
    await this.#attempt(() => this.#tellBuilt())
    if (core.find() === undefined || !(this.#isBehind || this.#hasFailed)) return
    wakeAt((now() + (this.#hasFailed ? bounds.viewRetryMs : 0)) as Millis) // a time plus a duration
  }

  /** Folds one page of a stream for each place that sources stand at. Answers how many bytes that were. */
  async #feedOne(stream: StreamPath): Promise<number> {
    const { core, bounds, read, watch, folded } = this.#parts
    if (!core.isWatched(stream)) {
      await watch(stream)
      if (core.find() === undefined) return 0
      core.noteWatched(stream, true) // before it is read, so that nothing comes between
    }
    this.#behind.delete(stream) // what comes from here on is news again
    let bytes = 0
    try {
      for (const from of core.placesIn(stream)) {
        const page = await read(stream, from, bounds.viewPageBytesMax)
        if (core.find() === undefined) return bytes // it has ended meanwhile
        if (page.kind !== "page") core.miss(stream, from, page)
        else {
          if (core.take(stream, from, page)) this.#pages++
          if (!page.upToDate) this.#behind.add(stream)
          bytes += page.body.length
        }
        folded()
      }
    } catch (error) {
      this.#behind.add(stream)
      throw error
    }
    return bytes
  }

  async #list(): Promise<void> {
    const { core, watchDirectory, listed } = this.#parts
    const patterns = core.patterns()
    if (!this.#isWatchingDirectory) await watchDirectory(patterns) // repeatable: it costs a row for each life
    this.#isWatchingDirectory = true
    this.#isListBehind = false
    try {
      for (;;) {
        const record = core.find()
        if (record === undefined) return
        const news = await listed(record.listedTo, patterns)
        if (core.find() === undefined) return
        for (const path of core.list(news)) this.#behind.add(path as StreamPath) // streams have told their paths
        if (news.isAll) return
      }
    } catch (error) {
      this.#isListBehind = true
      throw error
    }
  }

  async #tellBuilt(): Promise<void> {
    const { core, built, folded } = this.#parts
    if (this.#isBehind || this.#hasFailed || !core.isBuilt()) return
    if ((await built()) && core.find() !== undefined) core.goLive()
    folded()
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#hasFailed = true
      this.#parts.failed(error)
    }
  }
}

function nothing(): void {}
