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
import type { StoredEntry } from "../disk/records.ts"
import { positionOf, type StreamRecord } from "../disk/records.ts"
import { type RejectedEntry, rejectedOf } from "../disk/rejections.ts"
import { PendingEntries } from "./pending-entries.ts"
import type { PendingEntry } from "./pending-entry.ts"
import { RefusedEntries } from "./refused-entries.ts"
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
  readonly #waiting = new PendingEntries()
  #restarts = 0

  constructor(record: StreamRecord, entries: readonly StoredEntry[], listener: ReplicaListener) {
    this.stream = record.stream
    this.#listener = listener
    this.#head = record.head
    this.#position = positionOf(record)
    this.#waiting.insert(this.#unknown(entries))
  }

  get head(): Offset {
    return this.#head
  }

  get position(): ProducerPosition {
    return this.#position
  }

  get pending(): readonly PendingEntry[] {
    return this.#waiting.all
  }

  /** How many events the pending entries hold. */
  get pendingEvents(): number {
    return this.#waiting.load.events
  }

  get pendingBytes(): number {
    return this.#waiting.load.bytes
  }

  /** How many events the edge has refused that the app has neither dismissed nor appended anew. */
  get rejectedEvents(): number {
    return this.rejections.events
  }

  /** What other tabs have stored is to be looked for behind this key. */
  get mergedTo(): OutboxKey {
    return this.#waiting.mergedTo
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
    for (const { key, text, count, bytes, expected } of this.pending) {
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
    return this.#inFlight()
      .map((entry) => entry.text)
      .join(",")
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
    const fresh = this.#waiting.unseen(entries)
    if (fresh.length > 0) this.#push(fresh)
  }

  /**
   * The disk has given entries of this tab their keys. Answers those that are confirmed by now: another tab may have
   * found them on the disk and sent them. Those that were refused meanwhile are pending no more.
   */
  stored(entries: readonly PendingEntry[], keys: readonly OutboxKey[]): PendingEntry[] {
    const late = this.#waiting.keyed(entries, keys)
    if (late.length > 0) this.refused(late)
    this.#setAside()
    const waiting = this.#waiting
    return entries.filter(
      (entry) => waiting.isGone(entry) && !waiting.isSeen(entry) && !this.rejections.has(entry),
    )
  }

  /** The edge has refused these entries for good: they wait no more, and are as the app will find them. */
  reject(keys: readonly OutboxKey[], error: ErrorData, at: Millis): RejectedEntry[] {
    const rejected = rejectedOf(this.stream, this.pending, { keys, error, at })
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
    this.#waiting.remove(entries)
    this.#listener.reordered(this.stream)
  }

  /** Takes in what the disk holds behind `mergedTo`: entries that other tabs have stored, and its own. */
  merge(entries: readonly StoredEntry[]): void {
    const fresh = this.#unknown(entries)
    if (fresh.length === 0) return
    if (this.#waiting.areLast(fresh)) return this.#push(fresh)
    this.#waiting.insert(fresh)
    this.#listener.reordered(this.stream)
  }

  /** Takes in the next page of the edge's log. Anything but the next page changes nothing. */
  take(page: Page): { arrival: Arrival["kind"]; confirmed: readonly PendingEntry[] } {
    const { kind } = arrival(this.#head, page)
    if (kind !== "next") return { arrival: kind, confirmed: [] }
    const confirmed = confirmedBy(this.pending, page)
    this.#waiting.remove(confirmed)
    const isSettled =
      confirmed.length > 0 && this.#position.inFlight !== null && this.#inFlight().length === 0
    if (isSettled) this.#position = settle(this.#position)
    this.#head = page.next
    this.#listener.advanced(this.stream, page, confirmed)
    return { arrival: kind, confirmed }
  }

  /**
   * Begins anew with what the disk has, which is another log than this replica's, or less of it. Entries that wait for
   * the disk stay, and so do those that it has stored since it was `asked` for these: the keys of then are given.
   * Answers those that it no longer has as pending: its log holds them. The listener is not told.
   */
  restart(
    record: StreamRecord,
    entries: readonly StoredEntry[],
    asked: ReadonlySet<unknown>,
  ): PendingEntry[] {
    this.#restarts++
    this.#head = record.head
    this.#position = positionOf(record)
    const gone = this.#waiting.restart(entries, asked)
    this.#waiting.insert(this.#unknown(entries))
    return gone
  }

  /**
   * The disk has lost everything: begins anew with nothing. What waits for the edge stays, and waits for the disk as
   * well, under numbers of a fresh producer. Answers what had been on the disk. The listener hears nothing.
   */
  emptied(fresh: ProducerId): PendingEntry[] {
    const lost = this.pending.filter(({ key }) => key !== undefined)
    for (const entry of lost) entry.key = undefined
    this.rejections.forget() // the keys of another disk say nothing
    this.restart({ stream: this.stream, head: START, ...firstPosition(fresh) }, [], new Set())
    return lost
  }

  /** Entries of which nobody knows whether the log holds them, since this began anew while the disk took them. */
  get doubted(): PendingEntry[] {
    return this.#waiting.doubted
  }

  /** The disk was asked about entries in doubt. Answers those that its log holds: it does not have them as pending. */
  settle(doubted: readonly PendingEntry[], entries: readonly StoredEntry[]): PendingEntry[] {
    return this.#waiting.settle(doubted, entries)
  }

  /** Whether it is pending no more. */
  isGone(entry: PendingEntry): boolean {
    return this.#waiting.isGone(entry)
  }

  #inFlight(): PendingEntry[] {
    const keys = new Set<OutboxKey | undefined>(this.#position.inFlight?.keys)
    return this.pending.filter((entry) => entry.key !== undefined && keys.has(entry.key))
  }

  #setAside(): void {
    const gone = this.pending.filter((entry) => this.rejections.has(entry))
    if (gone.length > 0) this.refused(gone)
  }

  #unknown(entries: readonly StoredEntry[]): PendingEntry[] {
    return this.#waiting.unknown(entries, (entry) => this.rejections.has(entry))
  }

  #push(entries: readonly PendingEntry[]): void {
    this.#waiting.push(entries)
    this.#listener.appended(this.stream, entries)
  }
}
