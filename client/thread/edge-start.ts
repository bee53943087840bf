import { unreachable } from "../../shared/assert.ts"
import { VIEW_LIMITS } from "../../shared/common-limits.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import { eventsBetween, type Offset, START } from "../../shared/offset.ts"
import { isPattern } from "../../shared/path-pattern.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { viewKey } from "../../shared/view/definition.ts"
import { RowRestorer } from "../../shared/view/restore-rows.ts"
import { isTrueTo, type SnapshotManifest } from "../../shared/view/snapshot.ts"
import type { OwnedTable } from "../../shared/view/tables.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { Snapshot } from "../disk/snapshots.ts"
import type { Host } from "../host.ts"
import type { EmptyView, ViewTerms } from "../state/open-view-state.ts"
import type { EdgeStream } from "../sync/edge.ts"
import type { Exchange } from "../sync/edge-requests.ts"
import type { EdgeView } from "../sync/edge-view.ts"

export type EdgeStartParts = {
  readonly host: Pick<Host, "now" | "after" | "turn" | "openSql" | "digest">
  readonly log: Pick<DeviceLog, "standing" | "goAhead">
  readonly device: ProducerId
  viewAt(name: StreamPath): Pick<EdgeView, "snapshot" | "rows">
  edgeOf(stream: StreamPath): Pick<EdgeStream, "knows">
  /** Whether the app wants to stay off the network. */
  isPaused(): boolean
  /** These logs go on from later places now, and nobody leads. Resolves when this tab knows. */
  wentAhead(streams: readonly StreamPath[]): Promise<void>
}

/** A snapshot of the edge's, of which this device's logs go on; or why there is none. */
export type EdgeStarted =
  | { readonly kind: "begun"; readonly snapshot: Snapshot }
  | { readonly kind: "not-begun"; readonly why: string }

/** Rows are put back for so long before whoever waits for this thread has a turn. */
const TURN_MS = 6

/** Rows that are put back before anybody looks at a clock. */
const SLICE = 200

/** Thrown and caught in here: a reason to go by the log. */
class NotBegun extends Error {}

/**
 * Begins a view with rows that the edge has folded, in place of the log that they are the fold of, when that is less
 * to fetch. Nothing depends on it: whatever keeps it from being done, the log is there.
 *
 * The rows are checked against the hash before anything is believed of them, and put back, all before the logs go
 * ahead: from then on this device has no more of the events than their rows.
 */
export class EdgeStart {
  readonly #parts: EdgeStartParts
  readonly #ended = new AbortController()

  constructor(parts: EdgeStartParts) {
    this.#parts = parts
  }

  /**
   * @param name Of the view at the edge.
   * @param empty The view's tables, which have no rows afterwards either.
   */
  async begin(terms: ViewTerms, name: StreamPath, empty: Promise<EmptyView>): Promise<EdgeStarted> {
    try {
      return { kind: "begun", snapshot: await this.#begin(terms, name, empty) }
    } catch (reason) {
      if (!(reason instanceof NotBegun)) throw reason
      return { kind: "not-begun", why: reason.message }
    }
  }

  /** Nothing is asked any more. */
  end(): void {
    this.#ended.abort()
  }

  async #begin(terms: ViewTerms, name: StreamPath, empty: Promise<EmptyView>): Promise<Snapshot> {
    const { log, device, viewAt, isPaused, wentAhead } = this.#parts
    if (Object.values(terms.streams).some(isPattern))
      throw new NotBegun("A view of patterns is made from the streams that this device has.")
    if (isPaused()) throw new NotBegun("The client is paused.")
    const view = viewAt(name)
    const manifest = answered(await this.#inTime((signal) => view.snapshot(signal)))
    checkTerms(manifest, terms)
    await this.#checkWorth(manifest)
    const texts = await this.#textsOf(view, manifest)
    const bytes = await this.#restored(await empty, manifest, texts)
    const places = new Map(Object.entries(manifest.cursor) as [StreamPath, Offset][]) // decoded as such
    const ahead = await log.goAhead(places, device)
    if (ahead === undefined)
      throw new NotBegun("What this device has of the streams cannot go on from the edge's places.")
    if (ahead.length > 0) await wentAhead(ahead)
    return { bytes, heads: manifest.cursor, halts: manifest.halts, messages: messagesBefore(manifest) }
  }

  /** Whether there is more to fetch of the logs than of the rows, or the edge does not have the logs any more. */
  async #checkWorth(manifest: SnapshotManifest): Promise<void> {
    const standings = Object.entries(manifest.cursor).map(async ([path, place]) => {
      const stream = path as StreamPath // as above
      const { head, absentUpTo } = await this.#parts.log.standing(stream)
      const lacking = (eventsBetween(head, place) ?? 0) + (eventsBetween(START, absentUpTo) ?? 0)
      return { stream, lacking, from: absentUpTo === START ? head : START }
    })
    const all = await Promise.all(standings)
    const lacking = all.reduce((sum, standing) => sum + standing.lacking, 0)
    const rows = Object.values(manifest.tables).reduce((sum, table) => sum + table.rows, 0)
    if (lacking >= VIEW_LIMITS.edgeSnapshotMessagesMin && rows <= lacking) return
    for (const standing of all) if (standing.lacking > 0 && (await this.#isTrimmed(standing))) return
    throw new NotBegun(`This device lacks ${lacking} messages; the snapshot has ${rows} rows.`)
  }

  async #isTrimmed({
    stream,
    from,
  }: {
    readonly stream: StreamPath
    readonly from: Offset
  }): Promise<boolean> {
    const answer = await this.#inTime((signal) => this.#parts.edgeOf(stream).knows(from, signal))
    return answer.kind === "done" && !answer.value
  }

  async #textsOf(
    view: Pick<EdgeView, "rows">,
    { tables }: SnapshotManifest,
  ): Promise<ReadonlyMap<string, string>> {
    const texts = Object.entries(tables).map(async ([table, { hash }]): Promise<[string, string]> => {
      return [table, answered(await view.rows(hash, this.#ended.signal))]
    })
    return new Map(await Promise.all(texts))
  }

  /** The rows as the image of a database, which has none of them afterwards. */
  async #restored(
    { database, view }: EmptyView,
    manifest: SnapshotManifest,
    texts: ReadonlyMap<string, string>,
  ): Promise<Snapshot["bytes"]> {
    const { host } = this.#parts
    const tables = view.sources.flatMap(({ owned }) => owned)
    if (!(await isTrueTo(manifest, tables, texts, (bytes) => host.digest(bytes))))
      throw new NotBegun("The rows that the edge sent are not those of the hash that it gave.")
    database.exec("BEGIN")
    try {
      for (const table of tables) await this.#insertAll(database, table, texts.get(table.name) ?? "")
      return database.image()
    } catch (cause) {
      throw new NotBegun(`The rows that the edge sent are none of this view: ${String(cause)}`)
    } finally {
      database.exec("ROLLBACK")
    }
  }

  async #insertAll(database: SqlDatabase, table: OwnedTable, text: string): Promise<void> {
    const { host } = this.#parts
    const rows = new RowRestorer(database, table)
    try {
      let since = host.now()
      for (let [at, count] = [0, 1]; at < text.length; count++) {
        at = rows.insert(text, at)
        if (count % SLICE !== 0 || host.now() - since < TURN_MS) continue
        await host.turn()
        since = host.now()
      }
    } finally {
      rows.close()
    }
  }

  async #inTime<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const stopTimer = this.#parts.host.after(VIEW_LIMITS.edgeSnapshotMsMax, () => late.abort())
    try {
      return await ask(AbortSignal.any([this.#ended.signal, late.signal]))
    } finally {
      stopTimer()
    }
  }
}

/** Whether the rows are those that this device would make. @throws NotBegun */
function checkTerms({ key, streams, skipped }: SnapshotManifest, terms: ViewTerms): void {
  const reads = (all: ViewTerms["streams"]) => JSON.stringify(Object.entries(all).sort())
  const isSame = key === viewKey(terms.view) && reads(streams) === reads(terms.streams)
  if (!isSame)
    throw new NotBegun("The view of this name at the edge has another definition, or other streams.")
  const theirs = skipped.flatMap((skip) => ("event" in skip ? [`${skip.source} ${skip.event}`] : []))
  const ours = terms.skips.map(({ source, eventId }) => `${source} ${eventId}`)
  if (theirs.sort().join() !== ours.sort().join())
    throw new NotBegun("The view at the edge passes over other events than this device.")
}

function messagesBefore({ cursor }: SnapshotManifest): number {
  return Object.values(cursor).reduce((sum, place) => sum + (eventsBetween(START, place) ?? 0), 0)
}

function answered<T>(answer: Exchange<T>): T {
  switch (answer.kind) {
    case "done":
      return answer.value
    case "missing":
      throw new NotBegun("The edge has no snapshot of a view of this name.")
    case "gone":
      throw new NotBegun("The edge does not have what it was asked for.")
    case "refused":
    case "failed":
      throw new NotBegun(answer.error.message)
    default:
      return unreachable(answer)
  }
}
