import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { FoldCore } from "./fold-core.ts"
import type { NoFold } from "./fold-reads.ts"
import { snapshotPlace } from "./snapshot-place.ts"
import type { SnapshotRecords } from "./snapshot-records.ts"
import type { SnapshotDraft, SnapshotWriter } from "./snapshot-writer.ts"

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
  /** Runs `work` while nothing is folded. */
  still(work: () => Promise<void>): Promise<void>
  failed(error: unknown): void
}

type Due = Pick<SnapshotDraft, "head" | "messages">

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

  /** Everything is folded that was heard of. Does not throw. */
  look(): void {
    if (this.#writing !== undefined || this.#isStopped) return
    const { still, now, bounds, failed } = this.#parts
    try {
      if (this.#due() === undefined) return
    } catch (error) {
      failed(error)
      return
    }
    this.#writing = still(() => this.#write())
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

  /** It may be due no longer, if something else kept the rows still before. */
  async #write(): Promise<void> {
    const { core, writer } = this.#parts
    const due = this.#due()
    if (due === undefined) return
    const tables = core.view().sources.flatMap((source) => source.owned)
    await writer?.write({ ...due, tables, isOver: () => this.#isStopped })
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
    const { streams } = record
    const head = { key: core.view().key, streams, ...rest, skipped: core.skips(), savedAt: at }
    if (!writer.hasRoomFor(head)) return this.#restUntil(at + bounds.viewSnapshotMsInterval)
    return { head, messages }
  }

  /** There is nothing to write down now. To find that out may take a look at each stream, so it is not often done. */
  #restUntil(at: number): undefined {
    this.#notBefore = at
    return undefined
  }
}
