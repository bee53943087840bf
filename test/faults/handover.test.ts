import { afterAll, beforeAll, expect, test } from "vitest"
import { type Site, serveSite } from "../support/site.ts"
import { killRenderer, orderOf, rest, type Tab } from "./device.ts"
import { HANDOVER_MS_MAX, HANDOVERS, patienceMs, SEED } from "./scale.ts"
import { FORGETFUL, Scene } from "./scene.ts"
import { namesIn, settled } from "./settle.ts"

/*
 * Tabs of one profile append all the time. The one that leads is closed, killed or frozen, again and again, while what
 * it sent last is still under way; then another leads. One that was frozen wakes later, and finds that it follows.
 */

const WAYS = ["close", "kill", "freeze"] as const
type Way = (typeof WAYS)[number]

const PATIENCE_MS = patienceMs(HANDOVERS, 20_000)
const TABS = 3
const RHYTHM = { count: 2, everyMs: 20, aheadMax: 10 }

let site: Site

beforeAll(async () => {
  site = await serveSite("faults/app")
}, PATIENCE_MS)

afterAll(() => site.close())

/** The tabs that there are, and how to get more of them. */
class Tabs {
  readonly #scene: Scene
  #open: Tab[] = []
  #count = 0

  constructor(scene: Scene) {
    this.#scene = scene
  }

  get open(): readonly Tab[] {
    return this.#open
  }

  async fill(): Promise<void> {
    while (this.#open.length < TABS) this.#open.push(await this.#scene.visit(`tab-${this.#count++}`, RHYTHM))
  }

  leaders(): Tab[] {
    return this.#open.filter(({ author }) => this.#scene.recorder.of(author).status?.role === "leader")
  }

  /** The one that leads, once there is one and no other says so. */
  async leader(): Promise<Tab> {
    await this.#scene.recorder.until(() => this.leaders().length === 1)
    return this.leaders()[0]!
  }

  without(gone: Tab): void {
    this.#open = this.#open.filter((tab) => tab !== gone)
  }
}

/** A new leader is there before, unless the disk is held. Twice what is promised, for busy machines. */
const FROZEN_MS_MAX = 10_000

/**
 * Whether the frozen tab was stopped within a transaction. The browser then keeps every other tab from the stores of it
 * until the frozen one wakes, whoever leads: nobody but the browser could end it.
 */
async function holdsDisk({ recorder }: Scene, tabs: Tabs, old: Tab): Promise<boolean> {
  try {
    await recorder.until(() => tabs.leaders().some((tab) => tab !== old), FROZEN_MS_MAX)
    return false
  } catch (reason) {
    const other = tabs.open.find((tab) => tab !== old)
    if (await other?.page.evaluate(() => faults.isDiskHeld())) return true
    throw reason
  }
}

/**
 * Ends a leadership. Answers how long nobody led, undefined when a frozen leader held the disk. Whoever led is gone, or
 * awake again.
 */
async function handOver(scene: Scene, tabs: Tabs, way: Way): Promise<number | undefined> {
  const { recorder } = scene
  const old = await tabs.leader()
  await proven(scene, old)
  const release = scene.wire.hold()
  await expect.poll(() => scene.wire.held(), { interval: 1 }).toBeGreaterThan(0)
  const begin = performance.now()
  if (way === "close") await old.page.close()
  else if (way === "kill") await killRenderer(old)
  else process.kill(old.pid, "SIGSTOP")
  if (way === "freeze" && (await holdsDisk(scene, tabs, old))) {
    process.kill(old.pid, "SIGCONT")
    release()
    await tabs.leader()
    return undefined
  }
  await recorder.until(() => tabs.leaders().some((tab) => tab !== old))
  const ms = performance.now() - begin
  await Promise.all(tabs.open.filter((tab) => tab !== old).map((tab) => proven(scene, tab)))
  release() // what the old leader had sent arrives when others have sent it again
  if (way !== "freeze") tabs.without(old)
  else {
    process.kill(old.pid, "SIGCONT")
    await recorder.until(() => recorder.of(old.author).status?.role === "follower")
    await proven(scene, old)
  }
  return ms
}

/** What fails says in which hand-over, and what the tabs had said last. */
function named<T>({ recorder }: Scene, what: string, work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    const said = recorder.authors.map((author) => JSON.stringify(recorder.of(author).status))
    throw new Error(`No hand-over after a ${what}: ${said.slice(-TABS - 1).join(", ")}`, { cause })
  })
}

/** Resolves when the edge has confirmed to a tab what it has flushed by now, and more. */
function proven({ recorder }: Scene, { author }: Tab): Promise<void> {
  const told = recorder.of(author)
  const goal = told.flushed.size + 1
  return recorder.until(() => told.confirmedEvents >= goal)
}

test(`[TAB5] the leader goes ${HANDOVERS} times, and each time another leads, nothing is lost and nothing double`, {
  timeout: PATIENCE_MS,
}, async () => {
  const scene = await Scene.set(site.url, "handover")
  const tabs = new Tabs(scene)
  const worst: Record<Way, number> = { close: 0, kill: 0, freeze: 0 }
  let held = 0
  for (let n = 0; n < HANDOVERS; n++) {
    await tabs.fill()
    const way = WAYS[n % WAYS.length]!
    const ms = await named(scene, `${way}, number ${n}`, handOver(scene, tabs, way))
    if (ms === undefined) held++
    else worst[way] = Math.max(worst[way], ms)
  }
  await tabs.leader()
  for (const tab of tabs.open) await rest(tab)
  const log = await settled(scene.recorder, scene.stream)
  for (const tab of tabs.open) await expect.poll(() => orderOf(tab)).toEqual(namesIn(log))
  const figures = WAYS.map((way) => `${Math.round(worst[way])} ms after a ${way}`).join(", ")
  console.log(
    `seed ${SEED}: ${HANDOVERS} hand-overs, ${log.length} events; nobody led for ${figures} at the worst`,
  )
  console.log(`${held} leaders froze within a transaction and held the disk`)
  for (const way of WAYS) expect(worst[way], way).toBeLessThan(HANDOVER_MS_MAX)
  await scene.clear()
})

test("[EDGE11] what a new leader sends again shows twice when the edge forgets what it has taken", {
  timeout: PATIENCE_MS,
}, async () => {
  const scene = await Scene.set(site.url, "handover/forgetful", { entry: FORGETFUL })
  const tabs = new Tabs(scene)
  await tabs.fill()
  await handOver(scene, tabs, "kill")
  await expect.poll(async () => scene.recorder.judge(await scene.log()).doubled).not.toEqual([])
  await scene.clear()
})
