import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { type Offset, START } from "../../shared/offset.ts"
import type { SourceStreams } from "../../shared/view/fold.ts"
import type { SnapshotManifest } from "../../shared/view/snapshot.ts"
import type { FoldCore } from "./fold-core.ts"
import type { NoFold } from "./fold-reads.ts"
import { type SnapshotPlace, snapshotPlace } from "./snapshot-place.ts"
import type { SnapshotRecords } from "./snapshot-records.ts"
import type { SnapshotDraft, SnapshotHead, SnapshotWriter } from "./snapshot-writer.ts"

/** The newest snapshot of a generation, its manifest as JSON. */
export type SnapshotAnswer =
  | { readonly kind: "snapshot"; readonly manifest: string }
  | { readonly kind: "none" }
  | NoFold

export type SnapshotsParts = {
  readonly core: FoldCore
  readonly records: SnapshotRecords
  /** Undefined where there is nothing to write to. */
  readonly writer: SnapshotWriter | undefined
  readonly bounds: Pick<
    Bounds,
    "viewSnapshotMessagesMin" | "viewSnapshotMsInterval" | "viewSnapshotBytesMax" | "upkeepRetryMs"
  >
  now(): Millis
  /** The bytes of all that is stored. */
  size(): number
  /** Whether a stream still has all that comes behind a place. */
  isKept(stream: string, place: Offset): Promise<boolean>
  /** Runs `work` while nothing is folded. */
  still(work: () => Promise<void>): Promise<void>
  failed(error: unknown): void
}

type Due = Pick<SnapshotDraft, "head" | "messages">

/** Enough is new, or somebody cannot do with what there is. */
type Why = "due" | "asked"

/** Streams that are asked whether they keep what a client needs. A view of more is of patterns: no client begins so. */
const STREAMS_ASKED_MAX = 50

/** A tenth of all that was folded before is enough to be written down anew. */
const SHARE = 0.1

/**
 * Decides when a view is written down. It sets no alarm of its own: it looks whenever everything is folded that was
 * heard of, and a view that hears of nothing looks at its streams from time to time.
 */
export class Snapshots {
  readonly #parts: SnapshotsParts
  #writing: Promise<void> | undefined
  #isStopped = false
  /** Before so many messages are taken, or that time has come, a look would find nothing due. */
  #enoughAt = 0
  #notBefore = 0

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
  }

  newest(): SnapshotAnswer {
    const { core, records } = this.#parts
    if (core.find() === undefined) return { kind: "no-fold" }
    const [manifest] = records.manifests()
    return manifest === undefined ? { kind: "none" } : { kind: "snapshot", manifest }
  }

  /**
   * The newest one, from which a client can go on: where the streams do not keep what comes behind it, or have no
   * beginning any more while there is none, one is written first, whatever else is due.
   */
  async usable(): Promise<SnapshotAnswer> {
    const newest = this.newest()
    if (newest.kind === "no-fold" || (await this.#isUsable(newest))) return newest
    await this.settled()
    this.#begin("asked")
    await this.settled()
    return this.newest()
  }

  /** Everything is folded that was heard of. Does not throw. */
  look(): void {
    this.#begin("due")
  }

  #begin(why: Why): void {
    if (this.#writing !== undefined || this.#isStopped) return
    const { still, now, bounds, failed } = this.#parts
    try {
      if (this.#draft(why) === undefined) return
    } catch (error) {
      failed(error)
      return
    }
    this.#writing = still(() => this.#write(why))
      .catch((error: unknown) => {
        this.#notBefore = now() + bounds.upkeepRetryMs
        failed(error)
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  /** Resolves when nothing is being written. Does not reject. */
  async settled(): Promise<void> {
    await this.#writing
  }

  /** Nothing is read or written from here on. Resolves when that is so. */
  stop(): Promise<void> {
    this.#isStopped = true
    return this.settled()
  }

  /** Deletes all that was ever written. Repeatable. */
  async clear(): Promise<void> {
    await this.#parts.writer?.clear()
  }

  async #isUsable(newest: SnapshotAnswer): Promise<boolean> {
    const { core, isKept } = this.#parts
    const places: Readonly<Record<string, Offset>> =
      newest.kind === "snapshot"
        ? (JSON.parse(newest.manifest) as SnapshotManifest).cursor // it was one when it was stored
        : Object.fromEntries(core.feeds().map(({ stream }) => [stream, START]))
    const all = Object.entries(places)
    if (all.length > STREAMS_ASKED_MAX) return true
    const kept = await Promise.all(all.map(([stream, place]) => isKept(stream, place)))
    return kept.every((isThere) => isThere)
  }

  /** It may be due no longer, if something else kept the rows still before. */
  async #write(why: Why): Promise<void> {
    const { core, writer } = this.#parts
    const draft = this.#draft(why)
    if (draft === undefined) return
    const tables = core.view().sources.flatMap((source) => source.owned)
    await writer?.write({ ...draft, tables, isOver: () => this.#isStopped })
  }

  #draft(why: Why): Due | undefined {
    return why === "due" ? this.#due() : this.#asked()
  }

  /** What somebody needs to be written down now, if that is possible and says more than what is. */
  #asked(): Due | undefined {
    const { core, records, writer, bounds, now, size } = this.#parts
    const record = core.find()
    if (writer === undefined || record?.phase !== "live" || size() > bounds.viewSnapshotBytesMax)
      return undefined
    const place = snapshotPlace(core.feeds())
    if (place === undefined || place.messages === records.last()?.messages) return undefined
    const { messages, ...rest } = place
    const head = this.#head(record.streams, rest, now())
    return writer.hasRoomFor(head) ? { head, messages } : undefined
  }

  #head(streams: SourceStreams, place: Omit<SnapshotPlace, "messages">, savedAt: Millis): SnapshotHead {
    const { core } = this.#parts
    return { key: core.view().key, streams, ...place, skipped: core.skips(), savedAt }
  }

  /** What is to be written down now, if anything is. Cheap as long as little is new. */
  #due(): Due | undefined {
    const { core, records, writer, bounds, now, size } = this.#parts
    const record = core.find()
    const at = now()
    if (writer === undefined || record?.phase !== "live" || this.#isStopped) return undefined
    if (core.taken < this.#enoughAt || at < this.#notBefore) return undefined
    const last = records.last()
    const again = last === undefined ? at : last.savedAt + bounds.viewSnapshotMsInterval
    if (at < again) return this.#restUntil(again)
    const place = size() > bounds.viewSnapshotBytesMax ? undefined : snapshotPlace(core.feeds())
    if (place === undefined) return this.#restUntil(at + bounds.viewSnapshotMsInterval)
    const { messages, ...rest } = place
    const before = last?.messages ?? 0
    const missing = Math.max(bounds.viewSnapshotMessagesMin, before * SHARE) - (messages - before)
    if (missing > 0) {
      this.#enoughAt = core.taken + missing
      return undefined
    }
    const head = this.#head(record.streams, rest, at)
    if (!writer.hasRoomFor(head)) return this.#restUntil(at + bounds.viewSnapshotMsInterval)
    return { head, messages }
  }

  /** There is nothing to write down now. To find that out may take a look at each stream, so it is not often done. */
  #restUntil(at: number): undefined {
    this.#notBefore = at
    return undefined
  }
}
