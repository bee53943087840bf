import { parseBatch } from "../../shared/batch.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import { isAfter } from "../../shared/offset.ts"
import type { OutboxKey, ProducerPosition } from "../../shared/outbox.ts"
import type { DeviceLog } from "../disk/log.ts"
import { NO_KEY, positionOf, type StreamRecord } from "../disk/records.ts"
import type { RejectedEntry } from "../disk/rejections.ts"
import { type PendingEntry, rekey } from "./pending-entry.ts"
import { Replica } from "./replica.ts"
import type { ReplicaListener } from "./replica-listener.ts"

export interface ReplicasListener extends ReplicaListener {
  /** A stream was loaded from the disk, the first time that this tab wants it. */
  loaded(replica: Replica): void
  /** The stream begins anew with what the disk has; `confirmed` are entries that its log holds by now. */
  restarted(replica: Replica, confirmed: readonly PendingEntry[]): void
  /**
   * The stream began anew, and its log is the one that it was, with more behind: on the disk, or absent. What is
   * pending is as it was.
   */
  wentOn(replica: Replica): void
  /** All that the edge has refused of a stream was looked at: receipts may wait for some of it. */
  reviewed(entries: readonly RejectedEntry[]): void
  /** The disk has given pending entries other keys. */
  rekeyed(keys: ReadonlyMap<OutboxKey, OutboxKey>): void
  /** What others have stored could not be looked at. */
  diskFailed(stream: StreamPath, reason: unknown): void
  /** Whether this tab leads: what its disk has of the edge's log it has written itself, and may be behind. */
  isLeading(): boolean
}

/** The streams that this tab has opened, each as its thread knows it, and kept in step with the shared disk. */
export class Replicas {
  readonly #log: DeviceLog
  #device: ProducerId
  readonly #listener: ReplicasListener
  readonly #wanted = new Map<StreamPath, Promise<Replica>>()
  readonly #open = new Map<StreamPath, Replica>()
  /** What was appended to streams that are still being loaded, in the order of appending. */
  readonly #early = new Map<StreamPath, readonly PendingEntry[]>()
  /** What is done with the disk goes one after the other. */
  #queue: Promise<void> = Promise.resolve()
  /** Looks that have not begun: they will see whatever is stored by now. */
  readonly #due = new Map<StreamPath, Promise<void>>()

  constructor(log: DeviceLog, device: ProducerId, listener: ReplicasListener) {
    this.#log = log
    this.#device = device
    this.#listener = listener
  }

  /** What this tab knows of a stream; loaded from the disk the first time. */
  get(stream: StreamPath): Promise<Replica> {
    let replica = this.#wanted.get(stream)
    if (replica === undefined) {
      replica = this.#load(stream)
      this.#wanted.set(stream, replica)
      replica.catch(() => this.#wanted.delete(stream)) // whoever asks next finds the disk in order, or not
    }
    return replica
  }

  /** Undefined while it is being loaded, or when nobody wants it. */
  opened(stream: StreamPath): Replica | undefined {
    return this.#open.get(stream)
  }

  get all(): Iterable<Replica> {
    return this.#open.values()
  }

  /** Also while it is being loaded. */
  isWanted(stream: StreamPath): boolean {
    return this.#wanted.has(stream)
  }

  /** Those that are being loaded included. */
  get wanted(): Iterable<StreamPath> {
    return this.#wanted.keys()
  }

  /** Shows entries that are on their way to the disk, also of a stream that is still being loaded. */
  show(stream: StreamPath, entries: readonly PendingEntry[]): void {
    const replica = this.#open.get(stream)
    if (replica === undefined) this.#early.set(stream, [...(this.#early.get(stream) ?? []), ...entries])
    else replica.append(entries)
  }

  /** Looks at what other tabs have stored. However often they tell of it, one look is enough for all that is there. */
  refresh(stream: StreamPath): Promise<void> {
    const due = this.#due.get(stream)
    if (due !== undefined) return due
    const look = this.#inTurn(stream, async () => {
      this.#due.delete(stream)
      await this.#catchUpWithDisk(await this.get(stream))
    })
    this.#due.set(stream, look)
    return look
  }

  /** Looks at what the edge has refused of a stream, if this tab wants it. */
  async reviewRejected(stream: StreamPath): Promise<void> {
    const look = this.#inTurn(stream, async () => {
      const replica = await this.#wanted.get(stream)
      if (replica !== undefined) await this.#review(replica)
    })
    await look.catch(() => {}) // `diskFailed` was told
  }

  /** The log of a stream has gone back to an earlier place, if this tab wants it. */
  async recovered(stream: StreamPath): Promise<void> {
    const look = this.#inTurn(stream, async () => {
      const replica = await this.#wanted.get(stream)
      if (replica !== undefined) await this.#restart(replica)
    })
    await look.catch(() => {}) // as above
  }

  /** Finds out about entries in doubt that the disk has answered for. */
  async settle(replica: Replica): Promise<void> {
    await this.#inTurn(replica.stream, () => this.#settle(replica)).catch(() => {}) // as above
  }

  #inTurn(stream: StreamPath, act: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(act)
    this.#queue = done.catch((reason: unknown) => this.#listener.diskFailed(stream, reason))
    return done
  }

  /** A new leader reads and produces on from where the disk says, whoever led before. */
  async takeOver(stream: StreamPath): Promise<void> {
    const replica = await this.get(stream)
    replica.producedAt(sendable(replica, positionOf(await this.#catchUpWithDisk(replica))))
    await this.#review(replica) // the one before may have ended before it told what was refused
  }

  /** The disk has lost everything, and so have the streams but for what waits. Answers what they had on the disk. */
  emptied(fresh: ProducerId): { replica: Replica; entries: readonly PendingEntry[] }[] {
    this.#device = fresh
    return [...this.#open.values()].map((replica) => {
      const entries = replica.emptied(fresh)
      this.#listener.restarted(replica, [])
      return { replica, entries }
    })
  }

  async #load(stream: StreamPath): Promise<Replica> {
    const { record, entries } = await this.#log.open(stream, NO_KEY, this.#device)
    const replica = new Replica(record, entries, this.#listener)
    replica.rejectedAre(await this.#log.rejections.list(stream)) // after the entries: none is in neither
    replica.append(this.#early.get(stream) ?? [])
    this.#early.delete(stream)
    this.#open.set(stream, replica)
    this.#listener.loaded(replica)
    return replica
  }

  async #review(replica: Replica): Promise<void> {
    const entries = await this.#log.rejections.list(replica.stream)
    replica.rejectedAre(entries)
    this.#listener.reviewed(entries)
  }

  /** Entries first: one that is confirmed between the two looks is seen pending and then confirmed, never neither. */
  async #catchUpWithDisk(replica: Replica): Promise<StreamRecord> {
    const { record, entries } = await this.#log.open(replica.stream, replica.mergedTo, this.#device)
    replica.merge(entries)
    if (this.#listener.isLeading()) return record
    if (isAfter(replica.head, record.head) || replica.rejections.hasUnsaved) return this.#restart(replica)
    for await (const pages of this.#log.pages(replica.stream, { after: replica.head, upTo: record.head })) {
      for (const page of pages) {
        if (page.absent) return this.#restart(replica) // the log has gone ahead, past what this tab has taken
        const { arrival } = replica.take({ ...page, messages: parseBatch(page.text) })
        if (arrival === "gap") return this.#restart(replica)
      }
    }
    return record
  }

  /**
   * A leader is ahead of its disk by what is being written. One that loses its lock in that moment has read what its
   * successor may store in other pages, or never, and has refused what may have to be refused again: it goes back to
   * what there is.
   */
  async #restart(replica: Replica): Promise<StreamRecord> {
    replica.rejections.forgetUnsaved()
    const asked = new Set(replica.pending.map(({ key }) => key))
    const { record, entries } = await this.#log.open(replica.stream, NO_KEY, this.#device)
    this.#listener.rekeyed(rekey(replica.pending, entries))
    await this.#review(replica) // what is neither pending nor refused is confirmed
    const before = replica.head
    const isBack = isAfter(before, record.head) // what the disk has by now may be more than was read
    const goesOn = !isBack && (await this.#log.goesOnFrom(replica.stream, before))
    const confirmed = replica.restart(record, entries, asked)
    const isClear = confirmed.length === 0 && replica.doubted.length === 0
    if (goesOn && isClear) this.#listener.wentOn(replica)
    else this.#listener.restarted(replica, confirmed)
    await this.#settle(replica)
    return record
  }

  async #settle(replica: Replica): Promise<void> {
    const { doubted } = replica
    if (doubted.length === 0) return
    const { entries } = await this.#log.open(replica.stream, NO_KEY, this.#device)
    await this.#review(replica) // as above
    const confirmed = replica.settle(doubted, entries)
    if (confirmed.length > 0) this.#listener.restarted(replica, confirmed)
  }
}

/** A batch of which an entry was found damaged is not sent again: under its number there would be other bytes. */
function sendable(replica: Replica, position: ProducerPosition): ProducerPosition {
  const keys = new Set(replica.pending.map(({ key }) => key))
  const isWhole = position.inFlight?.keys.every((key) => keys.has(key)) ?? true
  return isWhole ? position : { ...position, inFlight: null }
}
