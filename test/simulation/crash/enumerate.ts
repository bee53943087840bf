import type { Device } from "../device.ts"
import type { DiskTransaction } from "../disk-transaction.ts"
import { LEADERLESS_MS_MAX } from "../leader-watch.ts"
import { comesToRest, lastReads } from "../simulation.ts"
import type { Tab } from "../tab.ts"
import { Trace, type Violation } from "../trace.ts"
import { type Parts, World } from "../world.ts"
import {
  type Crash,
  crash,
  describeCrash,
  type End,
  imageAfter,
  isPromised,
  possibleDeliveries,
  possibleEnds,
} from "./crash.ts"
import { Over, quietPlan, type Script, Stage } from "./stage.ts"

/** Every script runs with it: crashes are counted, not drawn. */
const SEED = 1

export type Findings = {
  /** Requests that the device's disk is asked for, commits included. */
  readonly requests: number
  /** Ends of the device whose image was checked: before and after each request, in each way. */
  readonly ends: number
  /** Those among them after which the device was opened again and went on, one of each kind. */
  readonly reopened: number
  /** Ends of a device that had been opened again, whose image was checked. */
  readonly secondEnds: number
  readonly violations: readonly Found[]
}

export type Found = {
  readonly crash: string
  readonly violation: Violation
  readonly lastLines: readonly string[]
}

/**
 * Ends a script's device before and after each request of its disk, in every way in which it can end there, and opens
 * it again.
 *
 * The script runs once from end to end. At each request every image that a crash can leave is checked against what the
 * apps were told. Then one crash of each kind is carried out in a run of its own, goes on, and has to come to rest:
 * two crashes are of one kind when they leave the same records, and the edge has been told, and will be told, the same.
 * While a device that was opened again goes on, the images of a second crash are checked likewise.
 *
 * @param firstOnly Whether to stop at the first violation.
 */
export async function enumerateCrashes(
  script: Script,
  parts: Parts = {},
  firstOnly = false,
): Promise<Findings> {
  const violations: Found[] = []
  const found = (how: string, { violation, lastLines }: Trace) => {
    if (violation !== undefined) violations.push({ crash: how, violation, lastLines })
  }
  const [survey, second] = [new Survey(), new Survey()]
  found("none", await play(script, parts, (stage, at) => survey.look(stage, at)))
  const crashes = violations.length > 0 ? [] : survey.crashes()
  for (const planned of crashes) {
    found(describeCrash(planned), await reopen(script, parts, planned, second))
    if (firstOnly && violations.length > 0) break
  }
  const { probes, ends } = survey
  return { requests: probes / 2, ends, reopened: crashes.length, secondEnds: second.ends, violations }
}

/** Notes how a device could end at each step of its disk, and checks what would be left. */
class Survey {
  probes = 0
  ends = 0
  readonly #kinds = new Map<string, Crash>()
  readonly #numbers = new Map<DiskTransaction, number>()

  look({ device, world }: Stage, at: number): void {
    this.probes++
    const checked = new Set<string>()
    for (const end of possibleEnds(device, world)) {
      const left = end.kind === "power" ? `${end.kept}` : "all" // what else a tab's end leaves is the same at least
      if (!checked.has(left)) {
        const image = imageAfter(end, device)
        world.checker.checkDevice(device, image, (appended) => isPromised(end, appended))
        checked.add(left)
      }
      for (const delivery of possibleDeliveries(end, device)) {
        this.ends++
        const planned = { at, delivery, end }
        this.#kinds.set(this.#kindOf(planned, device, world), planned) // the last: its apps were told the most
      }
    }
  }

  crashes(): Crash[] {
    return [...this.#kinds.values()]
  }

  #kindOf({ delivery, end }: Crash, device: Device, { devices, edge }: World): string {
    const { disk, network } = device
    const records = this.#recordsAfter(end, device)
    const { sent, arrived } = network.traffic
    const who = end.kind === "power" ? undefined : end.tab
    const told = delivery === "arrives" ? sent : `${arrived} ${delivery === "late" ? sent : ""}`
    const others = devices.map((other) => (other === device ? 0 : other.network.traffic.arrived))
    return [
      end.kind === "freeze",
      who,
      records,
      told,
      ...others,
      edge.life,
      edge.isUp,
      disk.faults.full,
    ].join()
  }

  /** The same text for the same records. */
  #recordsAfter(end: End, { disk }: Device): string {
    if (end.kind === "power") return `${disk.writes - disk.unflushed + end.kept}`
    if (end.kind === "freeze") return `${disk.writes} ${disk.undecided}`
    const completing = disk.underWay.filter((_, at) => end.completing.includes(at))
    return [disk.writes, ...completing.map((transaction) => this.#numberOf(transaction))].join("+")
  }

  #numberOf(transaction: DiskTransaction): number {
    const number = this.#numbers.get(transaction) ?? this.#numbers.size
    this.#numbers.set(transaction, number)
    return number
  }
}

/** Carries out one crash, opens the device again, appends there, and waits until all is well. */
function reopen(script: Script, parts: Parts, planned: Crash, second: Survey): Promise<Trace> {
  const crashThere = (stage: Stage, at: number) => {
    if (at !== planned.at) return
    stage.isOver = true
    stage.device.disk.probe = planned.end.kind === "freeze" ? undefined : () => second.look(stage, at)
    crash(planned, stage.device, stage.world)
  }
  return play(script, parts, crashThere, recover)
}

function isLeading({ isOpen, role }: Tab): boolean {
  return isOpen && role === "leader"
}

async function recover(stage: Stage): Promise<void> {
  const { world, device } = stage
  const { trace, checker } = world
  world.heal()
  stage.isOver = false
  const tab = await stage.opened()
  await stage.until("somebody leads", () => world.tabsOf(device).some(isLeading), LEADERLESS_MS_MAX)
  checker.checkDevice(device)
  stage.append(tab, 1)
  await stage.confirmedFrom(tab)
  for (const frozen of world.tabs) frozen.thaw() // it may have locks that another tab needs for the same
  await stage.again(tab)
  await comesToRest(world)
  if (!tab.isOpen) trace.violated("S15", `${tab.name} did not stay open on what the crash had left.`)
  if (trace.violation === undefined) await lastReads(world)
}

/** Plays the script to its end, or to where `probe` has ended it, and then what comes after. */
async function play(
  script: Script,
  parts: Parts,
  probe: (stage: Stage, at: number) => void,
  after: (stage: Stage) => Promise<void> = async () => {},
): Promise<Trace> {
  const trace = new Trace()
  const world = new World(SEED, trace, { ...parts, plan: quietPlan(script) })
  const stage = new Stage(world)
  let probes = 0
  stage.device.disk.probe = () => probe(stage, probes++)
  const print = console.log
  console.log = (...words) => trace.note(`edge says ${words.join(" ")}`)
  try {
    await script.act(stage).catch(ignoreOver)
    if (trace.violation === undefined) await after(stage).catch(ignoreOver)
  } finally {
    console.log = print
    for (const tab of world.tabs) tab.end(true)
    world.edge.end()
  }
  return trace
}

function ignoreOver(reason: unknown): void {
  if (!(reason instanceof Over)) throw reason
}
