import { unreachable } from "../../shared/assert.ts"
import type { ErrorData } from "../../shared/errors.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { CheckedStorage } from "../disk/checked-storage.ts"
import { DeviceLog } from "../disk/log.ts"
import { MemoryStorage } from "../disk/memory-storage.ts"
import type { RejectedEntry } from "../disk/rejections.ts"
import type { Host } from "../host.ts"
import { databaseName, type OpenOptions } from "../port.ts"
import type { PendingEntry } from "../replica/pending-entry.ts"
import type { Replica } from "../replica/replica.ts"
import { Replicas, type ReplicasListener } from "../replica/replicas.ts"
import type { ConnectionStatus } from "../status.ts"
import { EdgeStream } from "../sync/edge.ts"
import { Tokens } from "../sync/tokens.ts"
import { Conflicts } from "./conflicts.ts"
import { Leadership, type LeadershipListener } from "./leadership.ts"
import { type Disk, Moving } from "./moving.ts"
import { PageEntries } from "./page-entries.ts"
import type { PageLink } from "./page-link.ts"
import { Receipts } from "./receipts.ts"
import { Rescue } from "./rescue.ts"
import { openSessionViews } from "./session-views.ts"
import { StatusBoard } from "./status-board.ts"
import { isNewer, openTabs, type Pause, type TabMessage, type Tabs } from "./tabs.ts"
import type { Views } from "./views.ts"
import { WholeLog } from "./whole-log.ts"

/** One tab's share of an account's log: its replicas, its views, and the leadership when it is this tab's turn. */
export class Session implements ReplicasListener, LeadershipListener {
  readonly device: ProducerId
  readonly views: Views
  readonly moving: Moving
  readonly conflicts: Conflicts
  readonly log: DeviceLog
  /** What the page appends. */
  readonly entries: PageEntries
  readonly #tabs: Tabs
  readonly #replicas: Replicas
  readonly #leadership: Leadership
  readonly #rescue: Rescue
  readonly #whole: WholeLog
  readonly #receipts: Receipts
  readonly #status: StatusBoard
  #pause: Pause = { paused: false, turn: 0 }

  private constructor(host: Host, options: OpenOptions, device: ProducerId, disk: Disk, page: PageLink) {
    const { log } = disk
    const isShared = options.storage === "disk"
    const name = isShared ? databaseName(options) : `${databaseName(options)}:${device}`
    this.device = device
    this.log = log
    this.#receipts = new Receipts(page.notify)
    this.#status = new StatusBoard(host, () => this.#standing(), page.notify)
    this.#replicas = new Replicas(log, device, this)
    const tokens = options.hasToken ? new Tokens(host, page.askForToken) : undefined
    const edgeOf = (of: StreamPath) => new EdgeStream(host, options.edge, of, tokens)
    const isPaused = () => this.#pause.paused
    this.#whole = new WholeLog({ log, edgeOf, isPaused })
    this.views = openSessionViews({
      ...{ host, ...disk, whole: this.#whole, edge: options.edge, tokens, device, edgeOf, isPaused },
      keptAs: isShared ? name : undefined,
      open: (stream) => this.replica(stream),
      replicas: () => this.#replicas.all,
      changed: () => this.#status.changed(),
      skipped: (view) => this.#tabs.tell({ kind: "skipped", view }),
      wentAhead: (streams) => this.conflicts.wentElsewhere(streams),
    })
    const stored = (stream: StreamPath) => this.#entriesStored(stream)
    const moved = { host, ...disk, whole: this.#whole, name }
    this.moving = new Moving({ ...moved, replicas: this.#replicas, stored })
    this.#tabs = openTabs(host, `${name}:tabs`, (message) => this.#hear(message))
    const [replicas, tabs] = [this.#replicas, this.#tabs]
    const resign = () => this.#leadership.resign()
    this.conflicts = new Conflicts({ host, log, device, replicas, tabs, edgeOf, resign })
    const ours = { host, edge: options.edge, log, tokens, tabs, replicas }
    const parts = { ...ours, lockName: `${name}:leader`, isPaused }
    this.#leadership = new Leadership(parts, this)
    const [receipts, retire] = [this.#receipts, () => this.#leadership.close()]
    this.#rescue = new Rescue({ ...parts, ...disk, receipts, resign, retire, stored })
    const changed = () => this.#status.changed()
    this.entries = new PageEntries({ replicas, receipts, rescue: this.#rescue, stored, changed })
    this.#status.changed()
  }

  /** Opens the account's database. @throws HeadwaterError `storage-unavailable`. */
  static async open(host: Host, options: OpenOptions, page: PageLink): Promise<Session> {
    const isMemory = options.storage === "memory"
    const raw = isMemory ? new MemoryStorage() : await host.openStorage(databaseName(options))
    const storage = new CheckedStorage(raw, host)
    const log = new DeviceLog(storage)
    return new Session(host, options, await log.device(() => host.newId()), { storage, log }, page)
  }

  /** What this tab knows of a stream; loaded from the disk the first time. */
  replica(stream: StreamPath): Promise<Replica> {
    return this.#replicas.get(stream)
  }

  setPaused(paused: boolean): void {
    this.#adopt({ paused, turn: this.#pause.turn + 1 })
    this.#tabs.tell({ kind: "paused", ...this.#pause })
  }

  /** Nothing of this session runs any more when it resolves. */
  async close(): Promise<void> {
    this.#rescue.close()
    this.conflicts.end()
    this.#leadership.close()
    this.#tabs.close()
    this.#status.close()
    this.views.close()
    this.moving.end()
    this.#whole.end()
    this.log.close()
  }

  // The replicas tell what becomes of their streams.

  loaded(replica: Replica): void {
    this.#tabs.tell({ kind: "wanted", stream: replica.stream })
    this.#leadership.sync(replica)
    this.views.loaded(replica.stream)
    this.#status.changed()
  }

  isLeading(): boolean {
    return this.#leadership.isLeading
  }

  appended(stream: StreamPath, entries: readonly PendingEntry[]): void {
    this.views.appended(stream, entries)
    this.#status.changed()
  }

  advanced(stream: StreamPath, page: Page, confirmed: readonly PendingEntry[]): void {
    this.views.advanced(stream, page, confirmed)
    if (!this.isLeading()) this.moving.readers.grown(stream) // a leader's disk is behind it, and says when it is not
    this.#receipts.confirmed(confirmed, page.next)
    this.#status.changed()
  }

  reordered(stream: StreamPath): void {
    this.views.reordered(stream)
    this.#status.changed()
  }

  rekeyed(keys: ReadonlyMap<OutboxKey, OutboxKey>): void {
    this.#receipts.rekeyed(keys)
  }

  reviewed(entries: readonly RejectedEntry[]): void {
    this.#receipts.rejected(entries)
    this.#status.changed()
  }

  restarted({ stream, head }: Replica, confirmed: readonly PendingEntry[]): void {
    this.views.refold(stream)
    this.moving.readers.grown(stream)
    this.#receipts.confirmed(confirmed, head)
    this.#status.changed()
  }

  wentOn({ stream }: Replica): void {
    this.views.wentOn(stream)
    this.moving.readers.grown(stream)
    this.#status.changed()
  }

  diskFailed(stream: StreamPath, reason: unknown): void {
    const message = reason instanceof Error ? reason.message : String(reason)
    this.#status.setError(stream, { code: "storage-unavailable", message })
  }

  // The leadership tells what becomes of it and of the connections.

  roleChanged(): void {
    this.#status.changed()
    if (this.isLeading()) return
    for (const { stream } of this.#replicas.all) this.#look(stream) // whoever leads now has told of it already
  }

  cannotLead(reason: unknown): void {
    for (const { stream } of this.#replicas.all) this.diskFailed(stream, reason)
  }

  connectionChanged(stream: StreamPath, status: ConnectionStatus): void {
    this.#status.setConnection(stream, status)
    this.#tabs.tell({ kind: "connection", stream, status })
  }

  saved(stream: StreamPath): void {
    this.moving.readers.grown(stream)
    this.#tabs.tell({ kind: "saved", stream })
  }

  unsaved(stream: StreamPath, reason: unknown): void {
    this.moving.readers.grown(stream)
    this.#leadership.unsaved(reason)
  }

  stopped(stream: StreamPath, error: ErrorData): void {
    this.#tabs.tell({ kind: "stopped", stream, error })
    this.#receipts.stopped(this.#replicas.opened(stream)?.pending ?? [], error)
  }

  rejected(stream: StreamPath, entries: readonly RejectedEntry[]): void {
    this.#tabs.tell({ kind: "rejected", stream })
    if (!this.isLeading()) void this.#replicas.reviewRejected(stream) // it may have gone back to before that
    this.#receipts.rejected(entries)
    this.#status.changed()
  }

  #entriesStored(stream: StreamPath): void {
    this.#leadership.appended(stream)
    this.#tabs.tell({ kind: "appended", stream })
  }

  #hear(message: TabMessage): void {
    switch (message.kind) {
      case "beat":
        return this.#leadership.heardBeat()
      case "appended":
      case "saved":
        return this.#look(message.stream)
      case "repaired":
        this.#leadership.resign()
        return this.#look(message.stream)
      case "wanted":
        if (this.views.follow(message.stream)) this.#replicas.get(message.stream).catch(() => {}) // it is told again
        return this.isLeading() ? this.#serve(message.stream) : undefined
      case "skipped":
        return this.views.skipped(message.view)
      case "leading":
        for (const stream of this.#replicas.wanted) {
          this.#tabs.tell({ kind: "wanted", stream })
          this.#look(stream) // the leader before it may have ended between storing and telling
        }
        return
      case "connection":
        return this.#status.setConnection(message.stream, message.status)
      case "paused":
        return this.#adopt(message)
      case "stopped":
        return this.#receipts.stopped(this.#replicas.opened(message.stream)?.pending ?? [], message.error)
      case "recovered":
        return void this.conflicts.becameAnother(message.stream)
      case "rejected":
        return void this.#replicas.reviewRejected(message.stream)
      default:
        return unreachable(message)
    }
  }

  /** A leader's pages come from the edge, and its disk is behind it: it looks for entries of others alone. */
  #look(stream: StreamPath): void {
    if (!this.#replicas.isWanted(stream)) return // one that is being loaded may have been read before this was stored
    const looked = this.#replicas.refresh(stream).then(() => this.#leadership.appended(stream))
    looked.catch(() => {}) // `diskFailed` was told
  }

  #serve(stream: StreamPath): void {
    const loaded = this.replica(stream).then((replica) => this.#leadership.sync(replica))
    loaded.catch((reason: unknown) => this.diskFailed(stream, reason)) // the tab that wants it asks its own disk
    const status = this.#status.connection(stream)
    if (status !== undefined) this.#tabs.tell({ kind: "connection", stream, status })
    this.#tabs.tell({ kind: "paused", ...this.#pause })
  }

  #adopt({ paused, turn }: Pause): void {
    if (!isNewer({ paused, turn }, this.#pause)) return
    const isOther = paused !== this.#pause.paused
    this.#pause = { paused, turn }
    if (isOther) this.#leadership.setPaused(paused)
    this.#status.changed()
  }

  #standing() {
    return {
      role: this.isLeading() ? "leader" : "follower",
      paused: this.#pause.paused,
      replicas: this.#replicas.all,
      halts: this.views.halts(),
      views: this.views.statuses(),
      shows: this.entries.shows,
    } as const
  }
}
