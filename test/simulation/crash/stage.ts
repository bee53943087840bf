import type { AppendDurability } from "../../../client/page/outgoing.ts"
import type { StreamPath } from "../../../shared/ids.ts"
import type { Device } from "../device.ts"
import { SOUND_DISK } from "../disk.ts"
import type { Appended } from "../history.ts"
import { ACCOUNTS, type LedgerEvent } from "../model.ts"
import { SOUND_NETWORK } from "../network.ts"
import type { Plan } from "../plan.ts"
import type { Tab } from "../tab.ts"
import type { World } from "../world.ts"

/** What users do, one thing after the other, on a device that a crash stops somewhere in between. */
export type Script = {
  readonly name: string
  /** Streams that each tab shows. */
  readonly ledgers: number
  /** The first is the one that crashes. */
  readonly devices: number
  /** Whether the edge refuses some events: every third of those that a script appends. */
  readonly isGuarded?: boolean
  /** Whether views may begin with rows of the edge. */
  readonly startsAtEdge?: boolean
  act(stage: Stage): Promise<void>
}

export type AppendOptions = { readonly stream?: StreamPath; readonly durability?: AppendDurability }

/** The script does not go on: its device has crashed, or a promise was broken. */
export class Over extends Error {}

/** Longer than anything takes in a world where all works, a dead socket included. */
const PATIENCE_MS = 120_000

/** Where a script plays: a world in which nothing happens but what the script says. */
export class Stage {
  readonly world: World
  /** What happens now belongs to the script no more. */
  isOver = false
  /** What a user does who finds the device open again after a crash. */
  again: (tab: Tab) => Promise<void> = async () => {}

  constructor(world: World) {
    this.world = world
    for (const { disk } of world.devices) disk.faults = world.plan.disk
  }

  get device(): Device {
    return this.#deviceAt(0)
  }

  get neighbour(): Device {
    return this.#deviceAt(1)
  }

  get stream(): StreamPath {
    return this.#streamAt(0)
  }

  get otherStream(): StreamPath {
    return this.#streamAt(1)
  }

  /** Opens a tab and waits until its view shows what the disk has. */
  async opened(device: Device = this.device): Promise<Tab> {
    const tab = this.world.openTab(device, this.world.plan.ledgers)
    await this.until(`${tab.name} is ready`, () => tab.isReady)
    return tab
  }

  /** Appends events in one turn. */
  append(
    tab: Tab,
    count: number,
    { stream = this.stream, durability = "flushed" }: AppendOptions = {},
  ): void {
    tab.append(stream, this.events(tab.device.name, count), durability)
  }

  /** Events that nobody has appended yet. */
  events(source: string, count: number): LedgerEvent[] {
    const { history, scheduler } = this.world
    return Array.from({ length: count }, (_, at): LedgerEvent => {
      const number = history.size + at
      return {
        id: `e${number}`,
        type: number % 5 === 4 ? "cleared" : "moved",
        source,
        time: new Date(Math.floor(scheduler.now)).toISOString(),
        data: { account: ACCOUNTS[number % ACCOUNTS.length] ?? "", amount: 3 * (number + 1) },
      }
    })
  }

  /** Everything that was appended is answered for by its disk. */
  stored(): Promise<void> {
    const isAnswered = () =>
      [...this.world.history.all].every(({ state }) => !["asked", "local"].includes(state))
    return this.until("all is stored", isAnswered)
  }

  /** Every page knows that its events are at the edge. */
  confirmed(): Promise<void> {
    const isKnown = () => [...this.world.history.all].every(isSettled)
    return this.until("all is confirmed", isKnown)
  }

  /** A page knows that its events are at the edge. */
  confirmedFrom(tab: Tab): Promise<void> {
    const { history } = this.world
    const isKnown = () => history.of(tab.name).every(isSettled)
    return this.until(`all of ${tab.name} is confirmed`, isKnown)
  }

  /** So many events of a stream last at the edge. */
  atEdge(count: number, stream: StreamPath = this.stream): Promise<void> {
    return this.until(`${count} events at the edge`, () => this.world.checker.log(stream).length >= count)
  }

  /** Does something that takes time. @throws Over when the script ends before it is done. */
  async done(what: string, act: () => Promise<void>): Promise<void> {
    let isDone = false
    act().then(
      () => {
        isDone = true
      },
      (error: unknown) => this.world.trace.bug(error),
    )
    await this.until(what, () => isDone)
  }

  /** @throws Over when the script ends before the condition holds. */
  async until(what: string, condition: () => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const { scheduler, trace } = this.world
    const hasEnded = () => this.isOver || trace.violation !== undefined
    await scheduler.run(scheduler.now, hasEnded)
    if (!condition() && !hasEnded())
      await scheduler.run(scheduler.now + patienceMs, () => hasEnded() || condition())
    if (hasEnded()) throw new Over()
    if (condition()) return
    trace.violated("L1", `After ${patienceMs / 1_000} s it is still not so that ${what}.`)
    throw new Over()
  }

  #deviceAt(at: number): Device {
    const device = this.world.devices[at]
    if (device === undefined) throw new Error(`The script has no device ${at}.`)
    return device
  }

  #streamAt(at: number): StreamPath {
    const stream = this.world.streams[at]
    if (stream === undefined) throw new Error(`The script has no stream ${at}.`)
    return stream
  }
}

/** Nothing more will be said of it. */
function isSettled({ state, offset, isImported }: Appended): boolean {
  return state === "failed" || state === "rejected" || offset !== undefined || isImported === true
}

/** Nothing fails in it by chance. */
export function quietPlan({ devices, ledgers, isGuarded = false, startsAtEdge = false }: Script): Plan {
  return {
    startsAtEdge,
    devices,
    ledgers,
    tabsMax: 3,
    stormMs: 0,
    actMs: 0,
    faultMs: 0,
    faults: {
      cut: 0,
      crawl: 0,
      away: 0,
      restart: 0,
      evict: 0,
      power: 0,
      portal: 0,
      deaf: 0,
      steal: 0,
      freeze: 0,
      copy: 0,
      restore: 0,
      close: 0,
    },
    disk: { ...SOUND_DISK, isSlowToAnswer: true },
    network: SOUND_NETWORK,
    isGuarded,
  }
}
