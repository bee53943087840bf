import type { Storage } from "../../client/thread/storage.ts"
import type { Millis, StreamPath } from "../../shared/ids.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import type { StreamHost } from "../../worker/stream/stream-host.ts"
import { Checker } from "./checker.ts"
import { Device } from "./device.ts"
import { SOUND_DISK } from "./disk.ts"
import { Edge } from "./edge.ts"
import { History } from "./history.ts"
import { isGuarded, type LedgerEvent, STREAMS } from "./model.ts"
import { SOUND_NETWORK } from "./network.ts"
import { drawPlan, type Plan } from "./plan.ts"
import { Random } from "./random.ts"
import { Scheduler } from "./scheduler.ts"
import { Tab } from "./tab.ts"
import type { Trace } from "./trace.ts"

/** Some day. Clients and edge tell the time in whole milliseconds. */
const BEGINNING = 1_767_225_600_000

const EDGE = "http://localhost"

/** What may be another than in production: a mutant's parts, and a fault that only some runs have. */
export type Parts = {
  core?(host: StreamHost): StreamCore
  storage?(storage: Storage): Storage
  /** Whether a message between tabs arrives. */
  tells?(message: unknown): boolean
  /** False: the edge says what is not on disk yet. */
  readonly gated?: boolean
}

/** Devices with tabs, the ways between them, and an edge: everything of one run but what happens. */
export class World {
  readonly seed: number
  readonly plan: Plan
  readonly trace: Trace
  readonly scheduler: Scheduler
  readonly edge: Edge
  readonly history = new History()
  readonly checker: Checker
  readonly devices: readonly Device[]
  readonly streams: readonly StreamPath[]
  tabs: Tab[] = []
  readonly #parts: Parts
  #tabCount = 0

  constructor(seed: number, trace: Trace, parts: Parts = {}) {
    this.seed = seed
    this.trace = trace
    this.#parts = parts
    this.plan = drawPlan(new Random(seed, "plan"))
    this.scheduler = new Scheduler(new Random(seed, "schedule"), trace)
    const { scheduler } = this
    const core = parts.core ?? ((host: StreamHost) => new StreamCore(host))
    const object = {
      scheduler,
      random: new Random(seed, "edge"),
      now: () => this.#now(),
      core,
      gated: parts.gated ?? true,
      guard: (message: unknown) => this.#guard(message as LedgerEvent), // the apps append nothing else
    }
    this.edge = new Edge(object, trace, (stream, frame) => this.checker.frame(stream, frame))
    this.checker = new Checker(this.edge, this.history, trace)
    this.streams = STREAMS.slice(0, this.plan.ledgers)
    this.devices = Array.from({ length: this.plan.devices }, (_, at) => {
      const name = `d${at}`
      const watchDisk = this.checker.watchDisk(name)
      return new Device(name, { seed, scheduler, trace, edge: this.edge, watchDisk })
    })
  }

  tabsOf(device: Device): Tab[] {
    return this.tabs.filter((tab) => tab.device === device)
  }

  /** Opens a tab whose app has a view over the first `ledgers` streams. */
  openTab(device: Device, ledgers: number): Tab {
    const name = `${device.name}t${this.#tabCount++}`
    const tab = new Tab({
      name,
      device,
      scheduler: this.scheduler,
      random: new Random(this.seed, `${name} chance`),
      now: () => this.#now(),
      storage: (storage) => this.#parts.storage?.(storage) ?? storage,
      tells: (message) => this.#parts.tells?.(message) ?? true,
      edge: EDGE,
      trace: this.trace,
      history: this.history,
      onPlaces: this.checker.places,
    })
    this.tabs.push(tab)
    void tab.open(ledgers)
    return tab
  }

  /** Takes those that are gone off the list. */
  bury(): void {
    this.tabs = this.tabs.filter((tab) => tab.isAlive)
  }

  /** The faults that the plan has for disks and networks. */
  misbehave(): void {
    for (const { disk, network } of this.devices) {
      disk.faults = this.plan.disk
      network.faults = this.plan.network
    }
  }

  /** From now on everything works, for whoever finds out. */
  heal(): void {
    this.edge.start()
    for (const device of this.devices) {
      device.disk.faults = SOUND_DISK
      device.network.faults = SOUND_NETWORK
      device.comeOnline()
    }
  }

  #guard(event: LedgerEvent): string | undefined {
    return this.plan.isGuarded && isGuarded(event) ? `The edge wants no ${event.data.amount}.` : undefined
  }

  #now(): Millis {
    return Math.floor(BEGINNING + this.scheduler.now) as Millis // counts what `Date.now` counts
  }
}
