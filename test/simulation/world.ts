import type { Storage } from "../../client/disk/storage.ts"
import type { Millis, StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import type { StreamHost } from "../../worker/stream/stream-host.ts"
import { Checker } from "./checker.ts"
import { Device } from "./device.ts"
import { SOUND_DISK } from "./disk.ts"
import { eventsOf, outboxOf, rejectedOf } from "./disk-check.ts"
import { Edge } from "./edge.ts"
import { History } from "./history.ts"
import type { Image } from "./image.ts"
import { LogFollower } from "./log-follower.ts"
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
  /** What the world is made of, when it is not drawn from the seed. */
  readonly plan?: Plan
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
  readonly devices: Device[] = []
  readonly streams: readonly StreamPath[]
  tabs: Tab[] = []
  followers: LogFollower[] = []
  readonly #parts: Parts
  #tabCount = 0

  constructor(seed: number, trace: Trace, parts: Parts = {}) {
    this.seed = seed
    this.trace = trace
    this.#parts = parts
    this.plan = parts.plan ?? drawPlan(new Random(seed, "plan"))
    this.scheduler = new Scheduler(new Random(seed, "schedule"), trace)
    const { scheduler } = this
    const core = parts.core ?? ((host: StreamHost) => new StreamCore(host))
    const object = {
      scheduler,
      random: new Random(seed, "edge"),
      viewRandom: new Random(seed, "edge views"),
      now: () => this.#now(),
      core,
      gated: parts.gated ?? true,
      guard: (message: unknown) => this.#guard(message as LedgerEvent), // the apps append nothing else
    }
    this.edge = new Edge(object, trace, {
      asked: (socket, stream, frame) => this.checker.frame(socket, stream, frame),
      said: (socket, stream, frame) => this.checker.reply(socket, stream, frame),
    })
    this.checker = new Checker(this.edge, this.history, trace)
    this.streams = STREAMS.slice(0, this.plan.ledgers)
    for (let left = this.plan.devices; left > 0; left--) this.#addDevice()
  }

  /** Another device that has a copy of this one's disk, as of a profile that was copied, or a machine. */
  copy(device: Device): Device {
    const copied = this.#addDevice(device)
    copied.disk.restore(device.disk.committed)
    copied.disk.faults = device.disk.faults
    copied.network.faults = device.network.faults
    this.checker.forgivesReuse = true
    return copied
  }

  /**
   * The device is put back to what its disk once held, by somebody who takes his time. What it alone has stored since
   * is gone, and nobody is wrong.
   */
  restore(device: Device, image: Image): void {
    device.network.loseEverything()
    for (const tab of this.tabsOf(device)) tab.end(true)
    device.disk.restore(image)
    const pending = outboxOf(image).flatMap((entry) => eventsOf(entry))
    const kept = new Set([...pending, ...rejectedOf(image)].map(({ id }) => id))
    const isLeft = (id: string, stream: StreamPath) =>
      kept.has(id) || this.checker.log(stream).some((event) => event.id === id)
    this.history.forget(device.name, ({ event, stream }) => !isLeft(event.id, stream))
    this.checker.forgivesReuse = true
    this.bury()
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
      startsAtEdge: this.plan.startsAtEdge,
      trace: this.trace,
      history: this.history,
      onPlaces: this.checker.places,
    })
    this.tabs.push(tab)
    void tab.open(ledgers).then(() => this.#follow(tab))
    return tab
  }

  /** The app reads the logs of what it shows as well. */
  #follow(tab: Tab): void {
    for (const stream of tab.viewed) {
      const read = (page: PageText) => this.checker.page(tab, stream, page)
      const follower = new LogFollower(tab, stream, this.scheduler, read)
      this.followers.push(follower)
      follower.run().catch((error: unknown) => this.trace.bug(error))
    }
  }

  /** Takes those that are gone off the list. */
  bury(): void {
    this.tabs = this.tabs.filter((tab) => tab.isAlive)
    this.followers = this.followers.filter(({ tab }) => tab.isAlive)
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

  #addDevice(origin?: Device): Device {
    const { seed, scheduler, trace, edge } = this
    const name = `d${this.devices.length}`
    const watchDisk = this.checker.watchDisk(name)
    const device = new Device(name, { seed, scheduler, trace, edge, watchDisk }, origin)
    this.devices.push(device)
    return device
  }

  #now(): Millis {
    return Math.floor(BEGINNING + this.scheduler.now) as Millis // counts what `Date.now` counts
  }
}
