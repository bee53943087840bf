import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Random } from "../simulation/random.ts"
import { type Site, serveSite } from "../support/site.ts"
import { killRenderer, orderOf, shownOf, type Tab, work } from "./device.ts"
import { KILLS, patienceMs, SEED } from "./scale.ts"
import { FORGETFUL, Scene } from "./scene.ts"
import { namesIn, settled } from "./settle.ts"
import { Writer } from "./writer.ts"

/*
 * A browser, or the renderer of a tab, is killed while it appends and while it catches up with what others have
 * appended; what it had sent last arrives at the edge long after its death. The next visit finds on the disk whatever
 * was called flushed, and the edge has it once in the end.
 *
 * Chromium itself loses a site's databases now and then when its main process is killed: the folder is missing at the
 * next start, whoever has written to it and however (docs/browsers.md). A database that nothing of ours touches tells
 * these from losses of ours, and they are counted.
 */

type Victim = "browser" | "renderer"

const PATIENCE_MS = patienceMs(KILLS, 20_000)

/** Others' appends before each visit: the edge tells one or two in an answer. */
const BACKLOG = 20
const BACKLOG_EVENTS = 10
const READ_BYTES = 2_048
/** What is on its way when a life ends may be a ping: of some lives one has sent a batch. */
const FORGETFUL_LIVES = 6
/** One step of a browser, on a busy machine. */
const STEP_MS_MAX = 120_000
const RHYTHM = { count: 5, everyMs: 2, aheadMax: 30 }

let site: Site

beforeAll(async () => {
  site = await serveSite("faults/app")
}, PATIENCE_MS)

afterAll(() => site.close())

const kill = (scene: Scene, victim: Victim, tab: Tab) =>
  victim === "browser" ? scene.device.killBrowser() : killRenderer(tab)

/** Waits until what was sent last is under way, and makes it stay there until the call of what is given back. */
async function holdSent(scene: Scene): Promise<() => void> {
  const release = scene.wire.hold()
  await expect.poll(() => scene.wire.held(), { interval: 1 }).toBeGreaterThan(0)
  return release
}

/** What the last clients have said of themselves. */
function saidBy({ recorder }: Scene): string {
  const statuses = recorder.authors.slice(-3).map((author) => recorder.of(author).status)
  return JSON.stringify(statuses)
}

/** Fails with words where a browser is waited for and never answers. */
function inTime<T>(scene: Scene, what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new Error(`Not in ${STEP_MS_MAX} ms: ${what}; ${saidBy(scene)}`))
    timer = setTimeout(fail, STEP_MS_MAX)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Everything that was flushed is in the rows of a new visit, once, before the network has its say. */
async function expectKept(scene: Scene, tab: Tab): Promise<void> {
  const { recorder } = scene
  const shown = new Map((await inTime(scene, "the view shows", shownOf(tab))).map((row) => [row.author, row]))
  for (const known of recorder.authors) {
    const flushed = recorder.of(known).flushed.size
    const { events = 0, last = -1, times = 1 } = shown.get(known) ?? {}
    const found = { known, whole: events === last + 1, kept: events >= flushed, times }
    const said = `${flushed} of ${known} were flushed, ${events} show; ${JSON.stringify([...shown.values()])}`
    expect(found, `${said}; ${saidBy(scene)}`).toEqual({ known, whole: true, kept: true, times: 1 })
  }
}

/** Whether the browser has lost the database that it was given beside ours. */
class Control {
  #visits = 0
  losses = 0

  async hasLost({ recorder }: Scene, { page }: Tab): Promise<boolean> {
    const known = await page.evaluate(() => faults.countVisit())
    const isLost = known === 0 && this.#visits > 0
    if (!isLost) expect(known).toBe(this.#visits)
    this.#visits = known + 1
    if (isLost) this.losses++
    if (isLost) recorder.forgetUnconfirmed()
    return isLost
  }
}

type Victimize = {
  readonly victim: Victim
  readonly author: string
  readonly random: Random
  readonly control: Control
  readonly release: () => void
}

/** One visit that ends badly, in the middle of appending. Answers how long it took to be in step with the edge. */
async function killAppending(scene: Scene, { victim, author, random, control, release }: Victimize) {
  const { recorder } = scene
  const begin = performance.now()
  const tab = await inTime(scene, `${author} begins`, scene.visit(author))
  if (!(await control.hasLost(scene, tab))) await expectKept(scene, tab)
  await work(tab, RHYTHM)
  await recorder.until(() => recorder.of(author).confirmed.length > 0)
  const recovery = performance.now() - begin
  release() // all that the last life had left over went out before
  const goal = recorder.of(author).flushed.size + random.whole(1, 200)
  await recorder.until(() => recorder.of(author).flushed.size >= goal)
  const next = await holdSent(scene)
  await inTime(scene, `${author} is killed`, kill(scene, victim, tab))
  return { recovery, release: next }
}

/**
 * One visit that ends badly, in the middle of reading what others have appended meanwhile, and appends itself. Answers
 * whether it was in the middle: a browser may ask by another connection than the one on which the answer was to stop.
 */
async function killCatchingUp(
  scene: Scene,
  victim: Victim,
  author: string,
  random: Random,
): Promise<boolean> {
  const message = random.whole(1, BACKLOG - 2) // two for each answer: its head and its body
  const shift = random.pick([-1, 0, 1] as const)
  const pause = { harm: "delay", carrier: "http", way: "down", message, shift, ms: 5_000 } as const
  const armed = scene.wire.arm(pause)
  const tab = await inTime(scene, `${author} begins to read`, scene.visit(author, RHYTHM))
  const live = scene.recorder.until(() => scene.recorder.of(author).status?.connection === "live")
  live.catch(() => {}) // it is killed before
  await Promise.race([armed.struck, live])
  const isReading = armed.hasStruck()
  await inTime(scene, `${author} is killed as it reads`, kill(scene, victim, tab))
  return isReading
}

describe.each(["browser", "renderer"] as const)("a %s", (victim) => {
  test(`[LOG3] [LOG10] that is killed ${KILLS} times loses nothing that was flushed, and doubles nothing`, {
    timeout: PATIENCE_MS,
  }, async () => {
    const scene = await Scene.set(site.url, `kill/${victim}`, { readBytesMax: READ_BYTES })
    const random = new Random(SEED, victim)
    const others = new Writer(scene.stream, "others")
    const recoveries: number[] = []
    let release = () => {}
    let killedReading = 0
    const control = new Control()
    for (let round = 0; round < KILLS; round++) {
      for (let n = 0; n < BACKLOG; n++) await others.append(BACKLOG_EVENTS)
      const author = `${victim}-${round}`
      if (round % 2 === 1) {
        if (await killCatchingUp(scene, victim, author, random)) killedReading++
        continue
      }
      const outcome = await killAppending(scene, { victim, author, random, control, release })
      recoveries.push(outcome.recovery)
      release = outcome.release
    }

    const last = await scene.visit("last")
    await scene.recorder.until(() => scene.recorder.of("last").status?.connection === "live")
    release()
    const log = await settled(scene.recorder, scene.stream)
    await expect.poll(() => orderOf(last), { timeout: PATIENCE_MS }).toEqual(namesIn(log))
    const figures = `${scene.recorder.flushed} events flushed, ${log.length} in the log`
    const worst = `in step again after ${Math.round(Math.max(...recoveries))} ms at the worst`
    console.log(
      `seed ${SEED}: ${KILLS} kills of the ${victim}, ${killedReading} of them while it read; ${figures}; ${worst}`,
    )
    console.log(`${control.losses} times the browser had lost all of its databases, those of others too`)
    if (victim === "renderer") expect(control.losses).toBe(0)
    expect(killedReading).toBeGreaterThan(KILLS / 4)
    await scene.clear()
  })
})

test("[EDGE11] what is sent again after a kill shows twice when the edge forgets what it has taken", {
  timeout: PATIENCE_MS,
}, async () => {
  const scene = await Scene.set(site.url, "kill/forgetful", { entry: FORGETFUL })
  const random = new Random(SEED, "forgetful")
  const ours = { victim: "renderer", random, control: new Control() } as const
  const doubled = async () => scene.recorder.judge(await scene.log()).doubled
  let release = () => {}
  for (let life = 0; life < FORGETFUL_LIVES && (await doubled()).length === 0; life++) {
    release = (await killAppending(scene, { ...ours, author: `life-${life}`, release })).release
  }
  release()
  await expect.poll(doubled).not.toEqual([])
  await scene.clear()
})
