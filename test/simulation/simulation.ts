import type { StreamPath } from "../../shared/ids.ts"
import type { Device } from "./device.ts"
import { outboxOf, positionOf, rejectedOf } from "./disk-check.ts"
import { checkLog } from "./final-check.ts"
import { isKept } from "./history.ts"
import { LeaderWatch } from "./leader-watch.ts"
import { Storm } from "./storm.ts"
import type { Tab } from "./tab.ts"
import { Trace, type Violation } from "./trace.ts"
import { type Parts, World } from "./world.ts"

/** How long everybody has, once all works again, to send what waits and to read what there is. */
const LIVENESS_MS = 60_000
const LOOK_MS = 500
/** A device whose sockets were cut has others by then. */
const FINDING_BACK_MS = 3_000
const LEAVING_MS = 15_000
const IDLE_MS = 60_000
const IDLE_REQUESTS_MAX = 30

export type Outcome = {
  readonly seed: number
  readonly violation: Violation | undefined
  readonly steps: number
  readonly simulatedMs: number
  readonly events: number
  readonly faults: ReadonlyMap<string, number>
  readonly hash: string
  readonly lastLines: readonly string[]
}

export type SimulationOptions = {
  readonly parts?: Parts
  /** Hears every line of the trace. */
  readonly onLine?: (line: string) => void
}

/** Runs the world of one seed: a storm, then quiet, then the last reads. Ends at the first promise that is broken. */
export async function simulate(seed: number, { parts, onLine }: SimulationOptions = {}): Promise<Outcome> {
  const trace = new Trace(onLine)
  const world = new World(seed, trace, parts)
  const print = console.log
  console.log = (...words) => trace.note(`edge says ${words.join(" ")}`)
  try {
    const storm = new Storm(world)
    await rage(world, storm)
    if (trace.violation === undefined) await quiet(world)
    if (trace.violation === undefined) await lastWord(world, storm)
    if (trace.violation === undefined) await idle(world)
    if (trace.violation === undefined) await lastReads(world)
  } finally {
    console.log = print
    for (const tab of world.tabs) tab.end(true)
    world.edge.end()
  }
  const { violation, steps, faults, hash, lastLines } = trace
  return {
    seed,
    violation,
    steps,
    simulatedMs: world.scheduler.now,
    events: world.history.size,
    faults,
    hash,
    lastLines,
  }
}

async function rage(world: World, storm: Storm): Promise<void> {
  const watch = new LeaderWatch(world)
  storm.begin()
  watch.begin()
  await world.scheduler.run(world.plan.stormMs, () => world.trace.violation !== undefined)
  storm.end()
  watch.end()
}

/** Nothing fails any more. Each device has somebody who looks, and who ends a pause. */
async function quiet(world: World): Promise<void> {
  const { trace, devices, plan } = world
  trace.note("everything works again")
  world.heal()
  for (const tab of world.tabs) tab.thaw()
  for (const device of devices) world.openTab(device, plan.ledgers)
  await comesToRest(world)
}

/** One device loses its sockets once more, and hears what was said while it found back: nobody says anything after. */
async function lastWord(world: World, storm: Storm): Promise<void> {
  const { scheduler, trace } = world
  storm.haveLastWord()
  await scheduler.run(scheduler.now + FINDING_BACK_MS, () => trace.violation !== undefined)
  if (trace.violation === undefined) await comesToRest(world)
}

/** Everything that was stored reaches the edge, everybody reads to the end, and then nothing is under way any more. */
export async function comesToRest(world: World): Promise<void> {
  const { scheduler, trace } = world
  const end = scheduler.now + LIVENESS_MS
  let missing: Missing[]
  do {
    await scheduler.run(scheduler.now + LOOK_MS, () => trace.violation !== undefined)
    for (const tab of world.tabs) if (tab.isOpen && tab.isPaused) tab.setPaused(false)
    missing = await unfinished(world)
  } while (missing.length > 0 && scheduler.now < end && trace.violation === undefined)
  for (const { rule, what } of missing) trace.violated(rule, what)
}

/** Nothing happens for a minute, and nobody asks the edge for much. */
async function idle({ scheduler, devices, trace }: World): Promise<void> {
  const before = devices.map(({ network }) => network.asked)
  await scheduler.run(scheduler.now + IDLE_MS, () => trace.violation !== undefined)
  for (const [at, { name, network }] of devices.entries()) {
    const asked = network.asked - (before[at] ?? 0)
    if (asked > IDLE_REQUESTS_MAX) trace.violated("L4", `${name} asked ${asked} times in an idle minute.`)
  }
}

type Missing = { readonly rule: string; readonly what: string }

/** What has still to happen before the world is at rest. */
async function unfinished(world: World): Promise<Missing[]> {
  const missing: Missing[] = []
  world.bury()
  for (const { name, disk } of world.devices) {
    if (disk.isBusy) missing.push({ rule: "L1", what: `${name} is still at work on its disk.` })
    const pending = outboxOf(disk.image).length
    if (pending > 0)
      missing.push({ rule: "L1", what: `${pending} entries of ${name} still wait for the edge.` })
  }
  for (const tab of world.tabs) {
    if (!tab.isReady) missing.push({ rule: "L2", what: `${tab.name} has not opened.` })
    missing.push(...unanswered(world, tab))
  }
  for (const { tab, stream, at } of world.followers) {
    if (positionOf(at) < world.checker.log(stream).length)
      missing.push({ rule: "L2", what: `A consumer in ${tab.name} has read ${stream} up to ${at}.` })
  }
  return [...missing, ...(await unread(world))]
}

/** Which views lack something of a stream. They answer while time goes on. */
async function unread({ tabs, checker, scheduler, trace }: World): Promise<Missing[]> {
  const unanswered = new Set(tabs.flatMap((tab) => tab.viewed.map((stream) => `${tab.name} ${stream}`)))
  const behind: Missing[] = []
  const look = async (tab: Tab, stream: StreamPath) => {
    const isAtTail = await checker.look(tab, stream)
    unanswered.delete(`${tab.name} ${stream}`)
    if (!isAtTail) behind.push({ rule: "L2", what: `${tab.name} has not read ${stream} to its end.` })
  }
  for (const tab of tabs)
    for (const stream of tab.viewed) look(tab, stream).catch((error) => trace.bug(error))
  await scheduler.run(scheduler.now + LOOK_MS, () => unanswered.size === 0)
  return [...behind, ...[...unanswered].map((who) => ({ rule: "L2", what: `${who} is not answered.` }))]
}

function unanswered({ history }: World, tab: Tab): Missing[] {
  const missing: Missing[] = []
  for (const appended of history.of(tab.name)) {
    const { event, state, offset } = appended
    if (state === "asked")
      missing.push({ rule: "L1", what: `${tab.name} was never answered about ${event.id}.` })
    if (isKept(appended) && offset === undefined && !appended.isImported)
      missing.push({ rule: "L1", what: `${tab.name} was never told that ${event.id} is confirmed.` })
  }
  return missing
}

function rejectedOn(devices: readonly Device[]): ReadonlySet<string> {
  return new Set(devices.flatMap(({ disk }) => rejectedOf(disk.image).map(({ id }) => id)))
}

/** Everything is read once more from where it is kept, and everybody leaves. */
export async function lastReads(world: World): Promise<void> {
  const { devices, streams, checker, trace, edge, history, scheduler, tabs } = world
  for (const device of devices) checker.checkDevice(device)
  for (const stream of streams) {
    try {
      checkLog(stream, edge, history, rejectedOn(devices))
    } catch (error) {
      trace.bug(error)
    }
  }
  for (const tab of tabs) void tab.close()
  await scheduler.run(scheduler.now + LEAVING_MS)
  for (const tab of tabs) if (tab.isAlive) trace.violated("S23", `${tab.name} was closed and never ended.`)
}
