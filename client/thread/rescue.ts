import { HeadwaterError } from "../../shared/errors.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { CheckedStorage } from "../disk/checked-storage.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { StorageState } from "../disk/storage-health.ts"
import type { Host } from "../host.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import type { Replicas } from "../replica/replicas.ts"
import type { Receipts } from "./receipts.ts"
import type { Tabs } from "./tabs.ts"

/** Before a disk that did not do what was asked of it is asked again. */
const RETRY_MS = 1_000

export type RescueParts = {
  readonly host: Pick<Host, "after" | "newId">
  readonly log: DeviceLog
  readonly storage: CheckedStorage
  readonly replicas: Replicas
  readonly receipts: Receipts
  readonly tabs: Pick<Tabs, "tell">
  /** Ends this tab's leadership, if it has it: what a leader knows of its disk is true no more. */
  resign(): void
  /** Ends it for good: the disk takes nothing any more. */
  retire(): void
  /** There are entries of the stream on the disk that others do not know. */
  stored(stream: StreamPath): void
}

/** What was on a disk that was lost, and the receipts that wait for it. */
type Homeless = {
  readonly replica: Replica
  readonly entries: readonly PendingEntry[]
  readonly tickets: ReadonlyMap<PendingEntry, number>
}

/**
 * Keeps what this tab alone still knows when the disk has lost it. A database can be deleted under its tabs; what
 * waited in it for the edge is then in their memory only. Each of them writes it into the new one, and since an entry
 * is known by its text, which has the ids of its events, the first one does and the others find it there.
 */
export class Rescue {
  readonly #parts: RescueParts
  readonly #stopHearing: () => void
  #homeless: readonly Homeless[] = []
  #isBusy = false
  #isOver = false
  #stopTimer: () => void = () => {}

  constructor(parts: RescueParts) {
    this.#parts = parts
    this.#stopHearing = parts.log.health.onChange((state) => this.#hear(state))
    parts.storage.onRepaired((streams) => this.#repaired(streams))
  }

  /**
   * Nobody knows whether the disk has these entries: looks, and writes those that it does not have. Answers their
   * keys; for an entry that the edge has confirmed meanwhile, one that no disk gives.
   *
   * @throws HeadwaterError as `Storage.write`.
   */
  async secure(
    replica: Replica,
    entries: readonly PendingEntry[],
    tickets: readonly number[],
  ): Promise<OutboxKey[]> {
    await this.#keep(replica, entries)
    return tickets.map((ticket, at) => entries[at]?.key ?? noKey(ticket))
  }

  close(): void {
    this.#isOver = true
    this.#stopHearing()
    this.#stopTimer()
  }

  #hear({ kind }: StorageState): void {
    if (kind === "deleted") this.#emptied()
    else if (kind === "lost")
      void this.#work() // to find out what there is
    else if (kind === "outdated" || kind === "cleared") this.#parts.retire()
  }

  /** In one turn, so that nobody acts on what was true of the database that is gone. */
  #emptied(): void {
    const { host, log, replicas, receipts, resign } = this.#parts
    resign()
    const tickets = receipts.withdraw([...replicas.all].flatMap(({ pending }) => pending))
    const fresh = host.newId() as ProducerId // made here, for this
    for (const found of replicas.emptied(fresh)) this.#homeless = [...this.#homeless, { ...found, tickets }]
    log.health.renew()
  }

  /** What a tab has read of them may be more than there is now: it goes back, a leader as well. */
  #repaired(streams: readonly StreamPath[]): void {
    const { tabs, replicas, resign } = this.#parts
    resign()
    for (const stream of streams) {
      tabs.tell({ kind: "repaired", stream })
      if (replicas.opened(stream) !== undefined) replicas.refresh(stream).catch(() => {}) // `diskFailed` was told
    }
  }

  /** Until everything has a place, and at least once. */
  async #work(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    try {
      const { host, log } = this.#parts
      await log.device(() => host.newId()) // a database that was made anew has no name
      for (let [next] = this.#homeless; next !== undefined; [next] = this.#homeless) {
        await this.#house(next)
        this.#homeless = this.#homeless.filter((other) => other !== next)
      }
    } catch (reason) {
      if (!(reason instanceof HeadwaterError)) throw reason
      if (!this.#isOver) this.#stopTimer = this.#parts.host.after(RETRY_MS, () => void this.#work())
    } finally {
      this.#isBusy = false
    }
  }

  async #house({ replica, entries, tickets }: Homeless): Promise<void> {
    await this.#keep(replica, entries)
    const { receipts, stored } = this.#parts
    for (const entry of entries) {
      const ticket = tickets.get(entry)
      if (ticket === undefined) continue
      entry.key ??= noKey(ticket)
      receipts.await([entry.key], [ticket])
    }
    receipts.confirmed(
      entries.filter((entry) => replica.isGone(entry)),
      replica.head,
    )
    stored(replica.stream)
  }

  /** Afterwards each entry has its key, or is not pending any more. */
  async #keep(replica: Replica, entries: readonly PendingEntry[]): Promise<void> {
    const { log, replicas } = this.#parts
    for (;;) {
      await replicas.refresh(replica.stream) // some may be on the disk, or in the edge's log
      const missing = entries.filter((entry) => entry.key === undefined && !replica.isGone(entry))
      if (missing.length === 0) return
      const keys = await log.keep(replica.stream, replica.head, missing)
      if (keys !== undefined) return void replica.stored(missing, keys)
    }
  }
}

/** A key that no disk gives, for what was confirmed before it had one. */
function noKey(ticket: number): OutboxKey {
  return -ticket as OutboxKey // only to find the ticket again
}
