import { AppendLog } from "../../client/disk/append-log.ts"
import { CheckedStorage } from "../../client/disk/checked-storage.ts"
import type { Durability } from "../../client/disk/storage.ts"
import { type AppendDurability, type Fate, Outgoing } from "../../client/page/outgoing.ts"
import { type LiveAnswer, NEXT, type NewEntry, type Notice, type Reply } from "../../client/port.ts"
import type { ThreadStatus } from "../../client/status.ts"
import { Engine } from "../../client/thread/engine.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { Device } from "./device.ts"
import { edgeViewName } from "./edge-views.ts"
import type { Appended, History } from "./history.ts"
import {
  accountsQuery,
  type Ledger,
  type LedgerEvent,
  ledgerStreams,
  ledgerView,
  placesQuery,
} from "./model.ts"
import { TabHost, type TabHostParts } from "./tab-host.ts"
import { ThreadLink, taken } from "./thread-link.ts"
import { ThreadTurns } from "./thread-turns.ts"
import type { Trace } from "./trace.ts"

/** Why a part of a log could not be had that is not on the device. */
export const AWAY: ReadonlySet<string> = new Set(["unreachable", "not-an-edge", "throttled"])

/** After a client has closed, before somebody looks whether it has left anything. */
const ENDING_MS = 1_000

export type TabParts = Omit<TabHostParts, "owner"> & {
  readonly name: string
  readonly edge: string
  readonly startsAtEdge: boolean
  readonly trace: Trace
  readonly history: History
  /** Hears each answer of a live query over what a stream's reader has seen. */
  onPlaces(tab: Tab, stream: StreamPath, places: readonly string[]): void
}

/** One tab: the production page side that writes appends, the production engine, and an app that uses both. */
export class Tab {
  readonly name: string
  readonly device: Device
  readonly host: TabHost
  readonly streams = new Set<StreamPath>()
  readonly #parts: TabParts
  readonly #turns: ThreadTurns
  readonly #engine: Engine
  readonly #link: ThreadLink
  readonly #outgoing: Outgoing
  #log: AppendLog | undefined
  #state: "opening" | "open" | "closing" | "gone" = "opening"
  #view: number | undefined
  #viewed: readonly StreamPath[] = []
  #ledgers = 0
  #isPaused = false
  #role: ThreadStatus["role"] = "follower"

  constructor(parts: TabParts) {
    this.#parts = parts
    this.name = parts.name
    this.#turns = new ThreadTurns(parts.scheduler, parts.name)
    this.device = parts.device
    this.host = new TabHost({ ...parts, owner: this })
    this.#engine = new Engine(this.host)
    const link = new ThreadLink(this, parts.scheduler, parts.random)
    this.#link = link
    this.#outgoing = new Outgoing({
      lasts: true,
      write: (stream, entries, durability) => this.#write(stream, entries, durability),
      flush: async () => this.#log?.flush(),
      after: (ms, run) => this.host.after(ms, run),
      show: (stream, entries) => link.ask(() => this.#engine.show(stream, structuredClone(entries))),
      stored: (stream, tickets, keys) => link.ask(() => this.#engine.stored(stream, tickets, keys)),
      refused: (stream, tickets) => link.ask(() => this.#engine.refused(stream, tickets)),
      secure: (stream, tickets) => link.ask(() => this.#engine.secure(stream, tickets)),
    })
  }

  get isAlive(): boolean {
    return this.#state !== "gone"
  }

  /** Whether the app can use it. */
  get isOpen(): boolean {
    return this.#state === "open" && this.#turns.isRunning
  }

  get role(): ThreadStatus["role"] {
    return this.#role
  }

  turn(act: () => void): void {
    this.#turns.take(act)
  }

  /** Its page and its thread get no turn any more, until `thaw`. */
  freeze(): void {
    this.#turns.freeze()
  }

  thaw(): void {
    this.#turns.thaw()
  }

  /** Whether it shows its user that it stays off the network. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  /** Whether everything is there that its app has opened. */
  get isReady(): boolean {
    return this.isOpen && this.#viewed.length === this.#ledgers
  }

  /** The streams that its view shows. */
  get viewed(): readonly StreamPath[] {
    return this.#viewed
  }

  /** Opens the client, then a view over the first `ledgers` streams; with 0 none. */
  async open(ledgers: number): Promise<void> {
    this.#ledgers = ledgers
    const notices = {
      postMessage: (notice: Notice) => this.#hear(notice, () => notices.onmessage?.()),
      onmessage: undefined as (() => void) | undefined,
    }
    const options = { edge: this.#parts.edge, account: "ada", hasToken: false, storage: "disk" } as const
    try {
      this.#log = new AppendLog(new CheckedStorage(await this.host.openStorage(), this.host))
      const port = notices as unknown as MessagePort // all of one that is used
      await this.#link.ask(() => this.#engine.open(options, port))
      if (this.#state === "opening") this.#state = "open"
      if (ledgers > 0) await this.#openView(ledgers)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Asks the thread for what the app's page would. */
  ask<T>(call: (engine: Engine) => Promise<Reply<T>>): Promise<T> {
    return this.#link.ask(() => call(this.#engine))
  }

  openStream(stream: StreamPath): void {
    if (this.streams.has(stream)) return
    this.streams.add(stream)
    this.#link.ask(() => this.#engine.openStream(stream)).catch((error: unknown) => this.#failed(error))
  }

  /** Appends events in one turn, as an app does that does not wait between them. */
  append(stream: StreamPath, events: readonly LedgerEvent[], durability: AppendDurability): void {
    this.openStream(stream)
    for (const event of events) {
      const { history, trace } = this.#parts
      const appended = { event, stream, device: this.device.name, tab: this.name, turn: events }
      const record: Appended = { ...appended, state: "asked", offset: undefined }
      history.add(record)
      const fate = this.#outgoing.append(stream, JSON.stringify(event), { durability })
      this.#follow(record, fate).catch((error: unknown) => trace.bug(error))
    }
  }

  setPaused(paused: boolean): void {
    this.#link
      .ask(() => this.#engine.setPaused(paused))
      .catch((error: unknown) => this.#parts.trace.bug(error))
  }

  /** What the rows and the list of pending events are in one moment; undefined while the view is not open. */
  async look(stream: StreamPath): Promise<{ ledger: Ledger; pending: readonly string[] } | undefined> {
    const view = this.#view
    if (view === undefined || !this.isOpen || !this.#viewed.includes(stream)) return undefined
    const ask = () =>
      Promise.all([
        this.#engine.query(view, placesQuery(stream), [], {}),
        this.#engine.query(view, accountsQuery(stream), [], {}),
        this.#engine.pending(stream),
      ])
    const [places, accounts, pending] = await this.#link.askFor(ask)
    const ledger = {
      places: taken(places).map((row) => String(row.event)),
      accounts: taken(accounts).map(({ name, balance }) => ({
        name: String(name),
        balance: Number(balance),
      })),
    }
    return { ledger, pending: taken(pending).map(({ id }) => id) }
  }

  /** As an app closes its client. Nothing is left of it then. */
  async close(): Promise<void> {
    if (!this.isOpen) return
    this.#state = "closing"
    try {
      await this.#outgoing.idle()
      await this.#link.ask(() => this.#engine.close())
      this.#log?.close()
    } catch (error) {
      this.#parts.trace.bug(error)
    }
    this.#endLater()
  }

  /** The thread is gone, between two of its turns. */
  end(hangsUp: boolean): void {
    if (this.#state === "gone") return
    this.#state = "gone"
    this.#turns.end()
    this.device.abandon(this, hangsUp)
    this.host.end()
  }

  /** Ends once nothing is left that was under way when it was closed. */
  #endLater(): void {
    this.#parts.scheduler.after(ENDING_MS, `${this.name} has closed`, () => {
      if (this.device.disk.concerns(this)) return this.#endLater()
      const left = this.isAlive ? this.host.held() : []
      if (left.length > 0)
        this.#parts.trace.violated("S23", `${this.name} is closed and holds ${left.join(", ")}.`)
      this.end(true)
    })
  }

  async #openView(ledgers: number): Promise<void> {
    const streams = ledgerStreams(ledgers)
    for (const stream of Object.values(streams)) this.openStream(stream)
    const view = await this.#link.ask(() =>
      this.#engine.openView({
        name: "ledgers",
        view: ledgerView(ledgers),
        streams,
        edgeView: this.#parts.startsAtEdge ? edgeViewName(ledgers) : undefined,
      }),
    )
    this.#view = view
    for (const stream of Object.values(streams)) {
      if (this.#state !== "open") return
      const port = {
        postMessage: (answer: LiveAnswer) => {
          this.#rows(stream, answer)
          this.#answer(() => port.onmessage?.({ data: NEXT }))
        },
        onmessage: undefined as ((event: { data: string }) => void) | undefined,
        close() {},
      }
      const rows = port as unknown as MessagePort // all of one that is used
      await this.#link.ask(() => this.#engine.live(view, { sql: placesQuery(stream), params: [] }, rows))
    }
    this.#viewed = Object.values(streams)
  }

  #rows(stream: StreamPath, answer: LiveAnswer): void {
    const news = taken(answer)
    const places = ("rows" in news ? news.rows : []).map((row) => String(row.event))
    this.#parts.onPlaces(this, stream, places)
  }

  /** The page's own way to the disk. It ends with the tab, as its thread's does. */
  async #write(
    stream: StreamPath,
    entries: readonly NewEntry[],
    durability: Durability,
  ): Promise<OutboxKey[]> {
    if (this.#log === undefined) throw new HeadwaterError("closed", "The client is not open.")
    return this.#log.append(stream, entries, durability)
  }

  async #follow(appended: Appended, fate: Fate): Promise<void> {
    const { trace } = this.#parts
    const { id } = appended.event
    try {
      await fate.local
      appended.state = "local"
      await fate.flushed
      appended.state = "stored"
    } catch (error) {
      trace.note(`${this.name} append failed ${id}: ${String(error)}`)
      if (!(error instanceof HeadwaterError)) throw error
      if (appended.state === "asked") appended.state = "failed"
      if (appended.state === "failed") return
    }
    trace.note(`${this.name} ${appended.state} ${id}`)
    try {
      appended.offset = await fate.confirmed
      trace.note(`${this.name} confirmed ${id} before ${appended.offset}`)
    } catch (error) {
      if (!(error instanceof HeadwaterError)) throw error
      if (error.code === "rejected") appended.state = "rejected"
      trace.note(`${this.name} ${error.code} ${id}: ${error.message}`)
    }
  }

  #hear(notice: Notice, next: () => void): void {
    this.#link.tell(() => {
      if (notice.kind === "status") {
        this.#shown(notice.status)
        this.#outgoing.counted(notice)
        this.#answer(next)
      } else if (notice.kind !== "token-wanted") this.#outgoing.settle(notice)
    })
  }

  #shown({ paused, role }: ThreadStatus): void {
    this.#isPaused = paused
    this.#role = role
  }

  /** The page answers a message that has come by a port. */
  #answer(tell: () => void): void {
    this.#link.askFor(async () => tell()).catch((error: unknown) => this.#parts.trace.bug(error))
  }

  /** A client that cannot open, or a view, is a tab that its user closes. */
  #failed(error: unknown): void {
    const isEnding = this.#state === "closing" || this.#state === "gone"
    if (isEnding && error instanceof HeadwaterError && error.code === "closed") return // its page has ended it
    const isAway = error instanceof HeadwaterError && AWAY.has(error.code) // what it needs is at the edge
    if (isAway || (error instanceof HeadwaterError && error.code.startsWith("storage"))) {
      this.#parts.trace.note(`${this.name} gives up: ${error.message}`)
      return this.end(true)
    }
    this.#parts.trace.bug(error)
  }
}
