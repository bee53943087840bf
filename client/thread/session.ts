import { parseBatch } from "../../shared/batch.ts"
import type { ErrorData } from "../../shared/errors.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import { type ConnectionStatus, databaseName, type NewEntry, type OpenOptions } from "../port.ts"
import { standForLeader } from "./candidate.ts"
import type { Host } from "./host.ts"
import { Leader, type LeaderListener } from "./leader.ts"
import { Deposed, DeviceLog, NO_KEY, positionOf, type StreamRecord } from "./log.ts"
import type { PageLink } from "./page-link.ts"
import { Receipts } from "./receipts.ts"
import { type PendingEntry, Replica, type ReplicaListener } from "./replica.ts"
import { ShownEntries } from "./shown-entries.ts"
import { StatusBoard } from "./status-board.ts"
import { isNewer, openTabs, type Pause, type TabMessage, type Tabs } from "./tabs.ts"
import { Tokens } from "./tokens.ts"
import { Views } from "./views.ts"

/** Between two looks of the leader for what nobody has told of. Each reads the end of the outbox. */
const LOOK_MS_INTERVAL = 10_000

/** One tab's share of an account's log: its replicas, its views, and the leadership when it is this tab's turn. */
export class Session implements ReplicaListener, LeaderListener {
  readonly device: ProducerId
  readonly views: Views
  readonly #host: Host
  readonly #options: OpenOptions
  readonly #log: DeviceLog
  readonly #tabs: Tabs
  readonly #tokens: Tokens | undefined
  readonly #replicas = new Map<StreamPath, Promise<Replica>>()
  readonly #open = new Map<StreamPath, Replica>()
  /** What was appended to streams that are still being loaded, in the order of appending. */
  readonly #early = new Map<StreamPath, readonly PendingEntry[]>()
  readonly #shown = new ShownEntries()
  readonly #receipts: Receipts
  readonly #status: StatusBoard
  readonly #ended = new AbortController()
  #refreshes: Promise<void> = Promise.resolve()
  #leader: Leader | undefined
  #release: () => void = () => {}
  #stopLooking: () => void = () => {}
  #pause: Pause = { paused: false, turn: 0 }

  private constructor(host: Host, options: OpenOptions, device: ProducerId, log: DeviceLog, page: PageLink) {
    this.device = device
    this.#host = host
    this.#options = options
    this.#log = log
    this.#tokens = options.hasToken ? new Tokens(host, page.askForToken) : undefined
    this.#receipts = new Receipts(page.notify)
    this.#status = new StatusBoard(host, () => this.#standing(), page.notify)
    this.views = new Views(host, log, () => this.#status.changed())
    this.#tabs = openTabs(host, `${databaseName(options)}:tabs`, (message) => this.#hear(message))
    this.#seekLeadership()
    this.#status.changed()
  }

  /** Opens the account's database. @throws HeadwaterError `storage-unavailable`. */
  static async open(host: Host, options: OpenOptions, page: PageLink): Promise<Session> {
    const log = new DeviceLog(await host.openStorage(databaseName(options)))
    return new Session(host, options, await log.device(() => host.newId()), log, page)
  }

  /** What this tab knows of a stream; loaded from the disk the first time. */
  replica(stream: StreamPath): Promise<Replica> {
    let replica = this.#replicas.get(stream)
    if (replica === undefined) {
      replica = this.#load(stream)
      this.#replicas.set(stream, replica)
    }
    return replica
  }

  /** Shows entries that the page has handed to the disk. */
  show(stream: StreamPath, entries: readonly NewEntry[]): void {
    const pending = this.#shown.add(entries)
    const replica = this.#open.get(stream)
    if (replica === undefined) this.#early.set(stream, [...(this.#early.get(stream) ?? []), ...pending])
    else replica.append(pending)
    this.#status.changed()
  }

  /** The disk has taken entries: they may go to the edge. */
  async stored(stream: StreamPath, tickets: readonly number[], keys: readonly OutboxKey[]): Promise<void> {
    const entries = this.#shown.take(tickets)
    const replica = await this.replica(stream)
    const confirmed = replica.stored(entries, keys)
    this.#receipts.await(keys, tickets)
    this.#receipts.confirmed(confirmed, replica.head)
    this.#leader?.appended(stream)
    this.#tabs.tell({ kind: "appended", stream })
  }

  /** The disk has refused entries: no query sees them when it resolves. */
  async refused(stream: StreamPath, tickets: readonly number[]): Promise<void> {
    const entries = this.#shown.take(tickets)
    const replica = await this.replica(stream)
    replica.refused(entries)
    this.#status.changed()
  }

  setPaused(paused: boolean): void {
    this.#adopt({ paused, turn: this.#pause.turn + 1 })
    this.#tabs.tell({ kind: "paused", ...this.#pause })
  }

  /** Nothing of this session runs any more when it resolves. */
  async close(): Promise<void> {
    this.#ended.abort()
    this.#leader?.end()
    this.#release()
    this.#tabs.close()
    this.#status.close()
    this.views.close()
    this.#log.close()
  }

  // Replicas tell what becomes of their streams.

  appended(stream: StreamPath, entries: readonly PendingEntry[]): void {
    this.views.appended(stream, entries)
    this.#status.changed()
  }

  advanced(stream: StreamPath, page: Page, confirmed: readonly PendingEntry[]): void {
    this.views.advanced(stream, page)
    this.#receipts.confirmed(confirmed, page.next)
    this.#status.changed()
  }

  reordered(stream: StreamPath): void {
    this.views.reordered(stream)
  }

  // The leadership tells what becomes of the connections.

  connectionChanged(stream: StreamPath, status: ConnectionStatus): void {
    this.#status.setConnection(stream, status)
    this.#tabs.tell({ kind: "connection", stream, status })
  }

  saved(stream: StreamPath): void {
    this.#tabs.tell({ kind: "saved", stream })
  }

  unsaved(_stream: StreamPath, reason: unknown): void {
    if (!(reason instanceof Deposed)) return // the connection rests, says why, and comes again
    this.#leader?.end()
    this.#release()
  }

  rejected(stream: StreamPath, error: ErrorData): void {
    this.#tabs.tell({ kind: "rejected", stream, error })
    this.#receipts.rejected(this.#open.get(stream)?.pending ?? [], error)
  }

  async #load(stream: StreamPath): Promise<Replica> {
    const { record, entries } = await this.#log.open(stream, NO_KEY)
    const replica = new Replica(record, entries, this)
    replica.append(this.#early.get(stream) ?? [])
    this.#early.delete(stream)
    this.#open.set(stream, replica)
    this.#tabs.tell({ kind: "wanted", stream })
    this.#leader?.sync(replica)
    this.#status.changed()
    return replica
  }

  #seekLeadership(): void {
    const lockName = `${databaseName(this.#options)}:leader`
    const cannotLead = (reason: unknown) => {
      for (const stream of this.#open.keys()) this.#diskFailed(stream, reason)
    }
    standForLeader(this.#host, lockName, this.#ended.signal, () => this.#lead(), cannotLead)
  }

  /** Leads until the session ends or is deposed. */
  async #lead(): Promise<void> {
    const term = await this.#log.claim()
    if (this.#ended.signal.aborted) return
    const over = new Promise<void>((resolve) => {
      this.#release = resolve
    })
    const { streams, upTo } = await this.#log.owing(NO_KEY)
    for (const stream of new Set([...streams, ...this.#replicas.keys()])) await this.#takeOver(stream)
    if (this.#ended.signal.aborted) return
    const ours = { host: this.#host, edge: this.#options.edge, device: this.device, log: this.#log }
    const office = { ...ours, tokens: this.#tokens, term }
    this.#leader = new Leader(office, this.#pause.paused, this)
    for (const replica of this.#open.values()) this.#leader.sync(replica)
    this.#tabs.tell({ kind: "leading" })
    this.#status.changed()
    try {
      await this.#lookAround(upTo)
      await over
    } finally {
      this.#stopLooking()
      this.#leader.end()
      this.#leader = undefined
    }
  }

  /** Finds what was stored while nobody led, and what tabs store that end before they can tell of it. */
  async #lookAround(seenTo: OutboxKey): Promise<void> {
    let upTo = seenTo
    try {
      const owing = await this.#log.owing(seenTo)
      await Promise.all(owing.streams.map((stream) => this.#refresh(stream)))
      upTo = owing.upTo
    } finally {
      const again = () => this.#lookAround(upTo).catch(() => {}) // the next look may find the disk in order
      if (this.#leader !== undefined) this.#stopLooking = this.#host.after(LOOK_MS_INTERVAL, again)
    }
  }

  #hear(message: TabMessage): void {
    switch (message.kind) {
      case "appended":
      case "saved":
        if (this.#open.has(message.stream)) void this.#refresh(message.stream)
        return
      case "wanted":
        if (this.#leader !== undefined) void this.#serve(message.stream)
        return
      case "leading":
        for (const stream of this.#replicas.keys()) this.#tabs.tell({ kind: "wanted", stream })
        return
      case "connection":
        return this.#status.setConnection(message.stream, message.status)
      case "paused":
        return this.#adopt(message)
      case "rejected":
        return this.#receipts.rejected(this.#open.get(message.stream)?.pending ?? [], message.error)
    }
  }

  /** Looks at what other tabs have stored, one look after the other. */
  #refresh(stream: StreamPath): Promise<void> {
    const look = this.#refreshes.then(async () => {
      await this.#catchUpWithDisk(await this.replica(stream))
    })
    this.#refreshes = look.catch((reason: unknown) => this.#diskFailed(stream, reason))
    return look
  }

  /** Entries first: one that is confirmed between the two looks is seen pending and then confirmed, never neither. */
  async #catchUpWithDisk(replica: Replica): Promise<StreamRecord> {
    const { record, entries } = await this.#log.open(replica.stream, replica.mergedTo)
    replica.merge(entries)
    if (this.#leader !== undefined) {
      this.#leader.appended(replica.stream)
      return record // the leader's pages come from the edge, and its disk is behind it
    }
    for await (const pages of this.#log.pages(replica.stream, { after: replica.head, upTo: record.head })) {
      for (const page of pages) replica.take({ ...page, messages: parseBatch(page.text) })
    }
    return record
  }

  /** A new leader reads and produces on from where the disk says, whoever led before. */
  async #takeOver(stream: StreamPath): Promise<void> {
    const replica = await this.replica(stream)
    replica.producedAt(positionOf(await this.#catchUpWithDisk(replica)))
  }

  async #serve(stream: StreamPath): Promise<void> {
    const replica = await this.replica(stream)
    this.#leader?.sync(replica)
    const status = this.#status.connection(stream)
    if (status !== undefined) this.#tabs.tell({ kind: "connection", stream, status })
    this.#tabs.tell({ kind: "paused", ...this.#pause })
  }

  #adopt({ paused, turn }: Pause): void {
    if (!isNewer({ paused, turn }, this.#pause)) return
    const isOther = paused !== this.#pause.paused
    this.#pause = { paused, turn }
    if (isOther) this.#leader?.setPaused(paused)
    this.#status.changed()
  }

  #standing() {
    const role = this.#leader === undefined ? "follower" : "leader"
    return {
      role,
      paused: this.#pause.paused,
      replicas: this.#open.values(),
      halts: this.views.halts(),
    } as const
  }

  #diskFailed(stream: StreamPath, reason: unknown): void {
    const message = reason instanceof Error ? reason.message : String(reason)
    this.#status.setError(stream, { code: "storage-unavailable", message })
  }
}
