import { joinBatches } from "../../shared/batch.ts"
import type { ErrorData } from "../../shared/errors.ts"
import type { Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import { type Arrival, arrival, confirmedBy, type Page } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import {
  firstPosition,
  type OutboxEntry,
  type OutboxKey,
  type ProducerPosition,
  settle,
} from "../../shared/outbox.ts"
import { NO_KEY, positionOf, type StreamRecord } from "./log.ts"
import type { StoredEntry } from "./outbox-records.ts"
import { foundEntry, idOf, inOrder, type PendingEntry } from "./pending-entry.ts"
import { RefusedEntries } from "./refused-entries.ts"
import { type RejectedEntry, rejectedOf } from "./rejections.ts"
import type { ReplicaListener } from "./replica-listener.ts"

/**
 * What this thread knows of one stream: how far it has read, and what it has not yet read back. The disk has the same,
 * or is being told.
 */
export class Replica {
  readonly stream: StreamPath
  readonly rejections = new RefusedEntries()
  readonly #listener: ReplicaListener
  #head: Offset
  #position: ProducerPosition
  /** In the order of keys; entries without one last, in the order of appending. */
  #pending: PendingEntry[] = []
  /** Everything on the disk up to here has been merged. */
  #mergedTo = NO_KEY
  /** Keys above `#mergedTo` that the disk gave this replica: it knows those entries, also after they are confirmed. */
  readonly #own = new Set<OutboxKey>()
  /** The first events of the pending entries that the disk has shown: this tab may have yet to show them as its own. */
  readonly #seen = new Set<unknown>()
  /** Entries that are pending no more, or never were since the disk had shown them. */
  readonly #gone = new WeakSet<PendingEntry>()
  #pendingEvents = 0
  #pendingBytes = 0
  #restarts = 0

  constructor(record: StreamRecord, entries: readonly StoredEntry[], listener: ReplicaListener) {
    this.stream = record.stream
    this.#listener = listener
    this.#head = record.head
    this.#position = positionOf(record)
    this.#pending = this.#unknown(entries)
    this.#count()
  }

  get head(): Offset {
    return this.#head
  }

  get position(): ProducerPosition {
    return this.#position
  }

  get pending(): readonly PendingEntry[] {
    return this.#pending
  }

  /** How many events the pending entries hold. */
  get pendingEvents(): number {
    return this.#pendingEvents
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** How many events the edge has refused that the app has neither dismissed nor appended anew. */
  get rejectedEvents(): number {
    return this.rejections.events
  }

  /** What other tabs have stored is to be looked for behind this key. */
  get mergedTo(): OutboxKey {
    return this.#mergedTo
  }

  /** How often it began anew: what was read from its log before a new count is of no use. */
  get restarts(): number {
    return this.#restarts
  }

  get record(): StreamRecord {
    return { stream: this.stream, head: this.#head, ...this.#position }
  }

  /** The entries that are on disk and not in the batch in flight, in order: as many as somebody asks for. */
  *waiting(): Generator<OutboxEntry> {
    const inFlight = new Set(this.#position.inFlight?.keys)
    for (const { key, text, count, bytes, expected } of this.#pending) {
      if (key !== undefined && !inFlight.has(key)) yield { key, text, count, bytes, expected }
    }
  }

  /** Where the batch in flight wants the stream to end. */
  expectedInFlight(): Offset | undefined {
    return this.#inFlight()[0]?.expected
  }

  /**
   * The messages of the batch in flight, comma-joined: the same bytes as long as it is in flight, unless another device
   * has appended some of its events as well. Those that are left keep its number: it may have been taken.
   */
  inFlightText(): string {
    return joinBatches(this.#inFlight().map(({ text }) => text))
  }

  inFlightMessages(): unknown[] {
    return this.#inFlight().flatMap((entry) => entry.messages)
  }

  /** How many entries of the batch in flight are pending. */
  get inFlightCount(): number {
    return this.#inFlight().length
  }

  /** Takes the place as a producer that the sync has decided on. */
  producedAt(position: ProducerPosition): void {
    this.#position = position
  }

  /** Shows entries of this tab that are on their way to the disk, unless the disk has shown them already. */
  append(entries: readonly PendingEntry[]): void {
    for (const entry of entries) if (this.#seen.has(idOf(entry))) this.#gone.add(entry)
    const fresh = entries.filter((entry) => !this.#seen.has(idOf(entry)))
    if (fresh.length > 0) this.#push(fresh)
  }

  /**
   * The disk has given entries of this tab their keys. Answers those that are confirmed by now: another tab may have
   * found them on the disk and sent them. Those that were refused meanwhile are pending no more.
   */
  stored(entries: readonly PendingEntry[], keys: readonly OutboxKey[]): PendingEntry[] {
    const late = entries.filter((entry, i) => {
      const key = keys[i] ?? NO_KEY
      if (key > this.#mergedTo) this.#own.add(key)
      const isLate = entry.key === undefined && key <= this.#mergedTo && !this.#gone.has(entry)
      entry.key = key
      return isLate // the disk showed it and lost it to a page before this tab could show it
    })
    if (late.length > 0) this.refused(late)
    this.#setAside()
    return entries.filter(
      (entry) => this.#gone.has(entry) && !this.#seen.has(idOf(entry)) && !this.rejections.has(entry),
    )
  }

  /** The edge has refused these entries for good: they wait no more, and are as the app will find them. */
  reject(keys: readonly OutboxKey[], error: ErrorData, at: Millis): RejectedEntry[] {
    const rejected = rejectedOf(this.stream, this.#pending, { keys, error, at })
    this.rejections.add(rejected)
    this.#setAside()
    return rejected
  }

  /** Takes in what the disk has of refused entries: all of the stream's. */
  rejectedAre(entries: readonly RejectedEntry[]): void {
    this.rejections.replace(entries)
    this.#setAside()
  }

  /** The entries are not on the disk: it is as if they had never been. */
  refused(entries: readonly PendingEntry[]): void {
    this.#remove(entries)
    this.#listener.reordered(this.stream)
  }

  /** Takes in what the disk holds behind `mergedTo`: entries that other tabs have stored, and its own. */
  merge(entries: readonly StoredEntry[]): void {
    const fresh = this.#unknown(entries)
    const [first] = fresh
    if (first === undefined) return
    const last = this.#pending.at(-1)
    if (last === undefined || inOrder(last, first) < 0) return this.#push(fresh)
    this.#pending = [...this.#pending, ...fresh].sort(inOrder)
    this.#count()
    this.#listener.reordered(this.stream)
  }

  /** Those that this replica does not show yet. The others learn their keys. */
  #unknown(entries: readonly StoredEntry[]): PendingEntry[] {
    const unkeyed = new Map(this.#unkeyed().map((entry) => [idOf(entry), entry]))
    const fresh: PendingEntry[] = []
    for (const entry of entries) {
      if (entry.key <= this.#mergedTo || this.#own.has(entry.key) || this.rejections.has(entry)) continue
      const found = foundEntry(entry)
      const shown = unkeyed.get(idOf(found))
      if (shown === undefined) fresh.push(found)
      else shown.key = entry.key
    }
    this.#merged(entries)
    for (const entry of fresh) this.#seen.add(idOf(entry))
    return fresh
  }

  /** Takes in the next page of the edge's log. Anything but the next page changes nothing. */
  take(page: Page): { arrival: Arrival["kind"]; confirmed: readonly PendingEntry[] } {
    const { kind } = arrival(this.#head, page)
    if (kind !== "next") return { arrival: kind, confirmed: [] }
    const confirmed = confirmedBy(this.#pending, page)
    this.#remove(confirmed)
    const isSettled =
      confirmed.length > 0 && this.#position.inFlight !== null && this.#inFlight().length === 0
    if (isSettled) this.#position = settle(this.#position)
    this.#head = page.next
    this.#listener.advanced(this.stream, page, confirmed)
    return { arrival: kind, confirmed }
  }

  /**
   * Begins anew with what the disk has, which is another log than this replica's, or less of it. Entries that wait for
   * the disk stay. Answers those that the disk no longer has as pending: its log holds them. The listener is not told.
   */
  restart(record: StreamRecord, entries: readonly StoredEntry[]): PendingEntry[] {
    this.#restarts++
    const kept = new Set(entries.map(({ key }) => key))
    const gone = this.#pending.filter(({ key }) => key !== undefined && !kept.has(key))
    for (const entry of gone) this.#gone.add(entry)
    this.#pending = this.#unkeyed()
    this.#head = record.head
    this.#position = positionOf(record)
    this.#mergedTo = NO_KEY
    this.#own.clear()
    this.#seen.clear()
    this.#pending = [...this.#unknown(entries), ...this.#pending].sort(inOrder)
    this.#count()
    return gone
  }

  /**
   * The disk has lost everything: begins anew with nothing. What waits for the edge stays, and waits for the disk as
   * well, under numbers of a fresh producer. Answers what had been on the disk. The listener hears nothing.
   */
  emptied(fresh: ProducerId): PendingEntry[] {
    const lost = this.#pending.filter(({ key }) => key !== undefined)
    for (const entry of lost) entry.key = undefined
    this.rejections.forget() // the keys of another disk say nothing
    this.restart({ stream: this.stream, head: START, ...firstPosition(fresh) }, [])
    return lost
  }

  /** Whether it is pending no more. */
  isGone(entry: PendingEntry): boolean {
    return this.#gone.has(entry)
  }

  #inFlight(): PendingEntry[] {
    const keys = new Set<OutboxKey | undefined>(this.#position.inFlight?.keys)
    return this.#pending.filter((entry) => entry.key !== undefined && keys.has(entry.key))
  }

  #setAside(): void {
    const gone = this.#pending.filter((entry) => this.rejections.has(entry))
    if (gone.length > 0) this.refused(gone)
  }

  /** Those that the disk has not answered for. They stand last. */
  #unkeyed(): PendingEntry[] {
    let from = this.#pending.length
    while (from > 0 && this.#pending[from - 1]?.key === undefined) from--
    return this.#pending.slice(from)
  }

  #push(entries: readonly PendingEntry[]): void {
    this.#pending.push(...entries)
    for (const entry of entries) {
      this.#pendingEvents += entry.count
      this.#pendingBytes += entry.bytes
    }
    this.#listener.appended(this.stream, entries)
  }

  #remove(entries: readonly PendingEntry[]): void {
    if (entries.length === 0) return
    for (const entry of entries) {
      this.#gone.add(entry)
      this.#seen.delete(idOf(entry))
    }
    this.#pending = this.#pending.filter((entry) => !this.#gone.has(entry))
    this.#count()
  }

  #merged(entries: readonly StoredEntry[]): void {
    const last = entries.at(-1)?.key ?? NO_KEY
    if (last > this.#mergedTo) this.#mergedTo = last // looks may come back in another order than they went out
    for (const key of this.#own) if (key <= this.#mergedTo) this.#own.delete(key)
  }

  #count(): void {
    this.#pendingEvents = this.#pending.reduce((sum, entry) => sum + entry.count, 0)
    this.#pendingBytes = this.#pending.reduce((sum, entry) => sum + entry.bytes, 0)
  }
}
