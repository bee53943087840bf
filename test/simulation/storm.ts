import type { StreamPath } from "../../shared/ids.ts"
import type { CutKind } from "./connection.ts"
import type { Device } from "./device.ts"
import { hasUnnumbered } from "./disk-check.ts"
import type { Image } from "./image.ts"
import { ACCOUNTS, type LedgerEvent } from "./model.ts"
import type { Fault } from "./plan.ts"
import { PORTALS } from "./portal.ts"
import { Random } from "./random.ts"
import type { Tab } from "./tab.ts"
import type { World } from "./world.ts"

const ACTS = {
  append: 10,
  burst: 3,
  open: 2,
  close: 0.7,
  kill: 0.7,
  leave: 0.7,
  pause: 0.4,
  resume: 0.8,
  look: 4,
}

const CUTS: readonly CutKind[] = ["both hear", "client is deaf", "edge is deaf", "both are deaf"]

/** How many events one run appends at most: rows are compared often. */
const EVENTS_MAX = 250

/** How soon it comes after a read has left: about while that, or its answer, is on its way. */
const LAST_WORD_MS = 8

/** How many devices one run has at most, copies included. */
const DEVICES_MAX = 6

/** What users do and what befalls them, drawn from the seed. */
export class Storm {
  readonly #world: World
  readonly #users: Random
  readonly #fate: Random
  readonly #backups = new Map<Device, Image>()
  #isOver = false

  constructor(world: World) {
    this.#world = world
    this.#users = new Random(world.seed, "users")
    this.#fate = new Random(world.seed, "fate")
  }

  begin(): void {
    this.#world.misbehave()
    for (const device of this.#world.devices) this.#open(device)
    this.#actLater()
    this.#failLater()
  }

  end(): void {
    this.#isOver = true
  }

  /** Cuts one device off, and lets another append to each stream while that one is between its last read and socket. */
  haveLastWord(): void {
    const { devices, streams, scheduler } = this.#world
    const device = this.#users.pick(devices)
    const left = new Set(streams)
    device.network.onRequest = (url) => {
      const stream = [...left].find((path) => url.includes(`/${path}?offset=`))
      const others = this.#world.tabs.filter((tab) => tab.isOpen && tab.device !== device)
      if (stream === undefined || others.length === 0) return
      left.delete(stream)
      const tab = this.#users.pick(others)
      scheduler.after(this.#users.wait(LAST_WORD_MS), `${tab.name} has the last word`, () => {
        if (tab.isOpen) this.#append(tab, stream, 1)
      })
    }
    device.network.cutAll()
  }

  #actLater(): void {
    this.#world.scheduler.after(this.#users.wait(this.#world.plan.actMs), "act", () => {
      if (this.#isOver) return
      this.#act()
      this.#actLater()
    })
  }

  #failLater(): void {
    const { scheduler, plan } = this.#world
    if (Object.values(plan.faults).every((weight) => weight === 0)) return
    scheduler.after(this.#fate.wait(plan.faultMs), "fate", () => {
      if (this.#isOver) return
      this.#befall(this.#fate.weighted(plan.faults))
      this.#failLater()
    })
  }

  #act(): void {
    const world = this.#world
    const device = this.#users.pick(world.devices)
    world.bury()
    const tabs = world.tabsOf(device).filter((tab) => tab.isOpen)
    const act = this.#users.weighted(ACTS)
    if (tabs.length === 0) return this.#open(device)
    const tab = this.#users.pick(tabs)
    const stream = this.#users.pick(world.streams)
    switch (act) {
      case "append":
        return this.#append(tab, stream, 1)
      case "burst":
        return this.#append(tab, stream, this.#users.whole(2, 12))
      case "open":
        return this.#open(device)
      case "close":
        return void tab.close()
      case "kill":
        return this.#kill(tab)
      case "leave": // in one task: what was appended has left the page before the tab goes
        this.#append(tab, stream, this.#users.whole(1, 3))
        return void world.scheduler.after(0, `${tab.name} leaves`, () => this.#kill(tab))
      case "pause":
        return tab.setPaused(true)
      case "resume":
        return tab.setPaused(false)
      case "look":
        world.checker.look(tab, stream).catch((error: unknown) => world.trace.bug(error))
    }
  }

  #append(tab: Tab, stream: StreamPath, count: number): void {
    const { history, scheduler } = this.#world
    if (history.size + count > EVENTS_MAX) return
    const events = Array.from(
      { length: count },
      (_, at): LedgerEvent => ({
        id: `e${history.size + at}`,
        type: this.#users.weighted({ moved: 6, cleared: 1, remarked: 1 }),
        source: tab.device.name,
        time: new Date(Math.floor(scheduler.now)).toISOString(),
        data: { account: this.#users.pick(ACCOUNTS), amount: this.#users.whole(1, 999) },
      }),
    )
    this.#world.trace.note(`${tab.name} appends ${count} to ${stream}`)
    tab.append(stream, events, this.#users.chance(0.3) ? "local" : "flushed")
  }

  #open(device: Device): void {
    const { plan, tabs } = this.#world
    if (tabs.filter((tab) => tab.device === device).length >= plan.tabsMax) return
    this.#world.openTab(device, this.#users.whole(0, plan.ledgers))
  }

  #kill(tab: Tab): void {
    if (tab.isAlive) this.#world.trace.fault("tab killed", tab.name)
    if (this.#fate.chance(0.5)) tab.device.network.lingerAll(tab)
    tab.end(true)
    this.#world.bury()
  }

  #befall(fault: Fault): void {
    const { edge, trace, scheduler } = this.#world
    const device = this.#fate.pick(this.#world.devices)
    switch (fault) {
      case "cut":
        return device.network.cutOne(this.#fate.pick(CUTS))
      case "crawl":
        return device.network.slowOne(this.#fate.wait(15_000))
      case "away":
        device.network.goAway()
        return void scheduler.after(this.#fate.wait(6_000), `${device.name} is back`, () =>
          device.comeOnline(),
        )
      case "restart":
        trace.fault("edge restarts")
        edge.kill()
        return void scheduler.after(this.#fate.wait(1_000), "edge is back", () => edge.start())
      case "portal":
        device.network.meetPortal(this.#fate.pick(PORTALS))
        return void scheduler.after(this.#fate.wait(6_000), `${device.name} signs in`, () =>
          device.comeOnline(),
        )
      case "deaf":
        edge.deafen()
        return void scheduler.after(this.#fate.wait(2_000), "edge hears again", () => edge.start())
      case "evict":
        return edge.evict()
      case "power":
        return this.#cutPower(device)
      case "close":
        return this.#closeStream(this.#fate.pick(this.#world.streams))
      case "steal":
        if (device.locks.steal()) trace.fault("lock stolen", device.name)
        return
      case "freeze":
        return this.#freeze(device)
      case "copy":
        return this.#copy(device)
      case "restore":
        return this.#restore(device)
    }
  }

  /** Somebody else ends a stream. */
  #closeStream(stream: StreamPath): void {
    const { edge, trace } = this.#world
    trace.fault("stream closed")
    edge.close(stream).catch((error: unknown) => trace.note(`not closed: ${error}`))
  }

  /**
   * Somebody copies a device, and both go on. Nothing waits there but what is in flight: of what both would send under
   * numbers of their own, nobody could say that it is the same.
   */
  #copy(device: Device): void {
    const { devices, trace } = this.#world
    if (devices.length >= DEVICES_MAX || hasUnnumbered(device.disk.committed)) return
    const copied = this.#world.copy(device)
    trace.fault("device copied", `${device.name} to ${copied.name}`)
    this.#open(copied)
  }

  /** The first time somebody makes a backup, the next time it is put back. */
  #restore(device: Device): void {
    const backup = this.#backups.get(device)
    if (backup === undefined) return void this.#backups.set(device, device.disk.committed)
    this.#backups.delete(device)
    this.#world.trace.fault("backup put back", device.name)
    this.#world.restore(device, backup)
  }

  /** The browser gives a tab no turns for a while: mostly the one that leads, whom the others wait for. */
  #freeze(device: Device): void {
    const { trace, scheduler } = this.#world
    const tabs = this.#world.tabsOf(device).filter((tab) => tab.isOpen)
    const leaders = tabs.filter((tab) => tab.role === "leader")
    if (tabs.length === 0) return
    const tab = this.#fate.pick(leaders.length > 0 && this.#fate.chance(0.7) ? leaders : tabs)
    trace.fault("tab frozen", tab.name)
    tab.freeze()
    scheduler.after(this.#fate.whole(2_000, 30_000), `${tab.name} thaws`, () => tab.thaw())
  }

  #cutPower(device: Device): void {
    if (this.#fate.chance(0.5)) device.network.lingerAll()
    for (const tab of this.#world.tabsOf(device)) tab.end(false)
    device.disk.cutPower()
    this.#world.history.cutPower(device.name)
    this.#world.bury()
    this.#world.checker.checkDevice(device)
  }
}
