import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Random } from "../simulation/random.ts"
import { type ChaosWire, layChaosWire, type Strike } from "../support/chaos-proxy.ts"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { type Site, serveSite } from "../support/site.ts"
import { type Life, orderOf, rest, work } from "./device.ts"
import { Recorder, readLog } from "./recorder.ts"
import { CONVERGENCE_MS_MAX, HALF_OPEN_MS_MAX, patienceMs, SEED, STRIKES } from "./scale.ts"
import { FORGETFUL } from "./scene.ts"
import { namesIn, settled } from "./settle.ts"
import { everyStrike, SILENT } from "./strikes.ts"
import { Writer } from "./writer.ts"

/*
 * Clients append through a wire that harms their connections at the ends of messages, and a byte before and behind.
 * Several do so at once, each through a wire and to a stream of its own, since to find out that nobody answers takes
 * its time.
 */

const PATIENCE_MS = patienceMs(STRIKES, 10_000)
const LANES = Math.min(12, Math.ceil(STRIKES / 2))
const RHYTHM = { count: 2, everyMs: 80, aheadMax: 10 }

/** Events after a fault that prove the way to be open again: more than were under way to the disk. */
const PROOF = 10

/** Others append so often: more often than a socket asks for a sign of life. */
const CHATTER_MS = 7_000

let site: Site
let browser: Browser

beforeAll(async () => {
  ;[site, browser] = await Promise.all([serveSite("faults/app"), launchChromium()])
}, PATIENCE_MS)

afterAll(async () => {
  await browser.close()
  await site.close()
})

/** One client, its stream and its wire. */
type Lane = {
  readonly tab: Life
  readonly wire: ChaosWire
  readonly stream: string
  readonly recorder: Recorder
  readonly others: Writer
}

async function openLane(page: Page, edge: TestEdge, recorder: Recorder, author: string): Promise<Lane> {
  const wire = await layChaosWire(edge.url)
  const path = `network/${author}`
  const stream = `${edge.url}/v1/stream/${path}`
  const options = { edge: wire.url, path, author, account: author }
  await page.evaluate((so) => faults.begin(so), options)
  return { tab: { page, author }, wire, stream, recorder, others: new Writer(stream, `others of ${author}`) }
}

const reconnect = ({ tab: { page, author } }: Lane) =>
  page.evaluate((of) => faults.line(of).reconnect(), author)

/** Resolves when so many more events were confirmed than are flushed now. */
function proven({ recorder, tab }: Lane, more: number): Promise<void> {
  const told = recorder.of(tab.author)
  const goal = told.flushed.size + more
  return recorder.until(() => told.confirmedEvents >= goal)
}

type Outcome = { readonly strike: Strike; readonly recoveryMs: number; readonly foundMs: number }

/** Lets one fault happen, and waits until what was appended since has reached the edge. */
async function suffer(lane: Lane, strike: Strike): Promise<Outcome> {
  await reconnect(lane) // as patient as at first, whatever happened before
  await proven(lane, 1)
  await lane.others.append(1)
  const armed = lane.wire.arm(strike)
  while (strike.carrier === "http" && !armed.hasStruck()) {
    await reconnect(lane)
    await Promise.race([armed.struck, proven(lane, 1)])
  }
  const at = await armed.struck
  const healed = at + (["delay", "late"].includes(strike.harm) ? strike.ms : 0)
  const chatter = setInterval(() => void lane.others.append(1), CHATTER_MS) // what a deaf edge goes on telling
  const converged = proven(lane, PROOF).then(() => performance.now())
  const told = lane.recorder.of(lane.tab.author)
  const noticed = lane.recorder.until(() => told.status?.connection !== "live").then(() => performance.now())
  noticed.catch(() => {}) // most faults need no new connection
  const found = await Promise.race([armed.abandoned, noticed, converged])
  const recoveryMs = (await converged) - healed
  clearInterval(chatter)
  return { strike, recoveryMs, foundMs: found - at }
}

/** What fails says in which fault. */
function named<T>(strike: Strike, work: Promise<T>): Promise<T> {
  return work.catch((cause: unknown) => {
    throw new Error(`Not in step after ${JSON.stringify(strike)}`, { cause })
  })
}

/** The lane rests, and its stream and what its device shows of it are as they should be. */
async function expectSettled({ tab, recorder, stream }: Lane): Promise<void> {
  await rest(tab)
  const log = await settled(recorder, stream, [tab.author])
  await expect.poll(() => orderOf(tab), { timeout: PATIENCE_MS }).toEqual(namesIn(log))
}

/** The greatest, and what it was measured at. */
function worstOf(outcomes: readonly Outcome[], of: "recoveryMs" | "foundMs"): { ms: number; strike: string } {
  const [worst] = [...outcomes].sort((a, b) => b[of] - a[of])
  return { ms: Math.round(worst?.[of] ?? 0), strike: JSON.stringify(worst?.strike) }
}

async function withLanes(count: number, entry: string | undefined, play: (lanes: Lane[]) => Promise<void>) {
  const recorder = new Recorder()
  const edge = await startEdge(entry === undefined ? {} : { entry })
  const context = await browser.newContext()
  await context.exposeFunction("report", recorder.take)
  const page = await context.newPage()
  await page.goto(site.url)
  const lanes: Lane[] = []
  for (let n = 0; n < count; n++) lanes.push(await openLane(page, edge, recorder, `lane-${n}`))
  for (const { tab } of lanes) await work(tab, RHYTHM)
  await play(lanes)
  await context.close()
  await Promise.all(lanes.map(({ wire }) => wire.close()))
  await edge.stop()
}

test(`[CONN3] [LOG10] after each of ${STRIKES} faults of the network everything arrives, once and in order`, {
  timeout: PATIENCE_MS,
}, async () => {
  const strikes = everyStrike(new Random(SEED, "network")).slice(0, STRIKES)
  await withLanes(LANES, undefined, async (lanes) => {
    const outcomes: Outcome[] = []
    const suffering = lanes.map(async (lane, at) => {
      for (let n = at; n < strikes.length; n += LANES) {
        outcomes.push(await named(strikes[n]!, suffer(lane, strikes[n]!)))
      }
    })
    await Promise.all(suffering)
    let events = 0
    for (const lane of lanes) {
      await expectSettled(lane)
      events += lane.recorder.of(lane.tab.author).flushed.size
    }
    const recovery = worstOf(outcomes, "recoveryMs")
    const silent = outcomes.filter(({ strike }) => SILENT.includes(strike.harm))
    const found = worstOf(silent, "foundMs")
    console.log(
      `seed ${SEED}: ${outcomes.length} faults, ${events} events, in step after ${recovery.ms} ms at the worst`,
    )
    console.log(
      `(${recovery.strike}); ${silent.length} silent ones found within ${found.ms} ms (${found.strike})`,
    )
    expect(recovery.ms, recovery.strike).toBeLessThan(CONVERGENCE_MS_MAX)
    expect(found.ms, found.strike).toBeLessThan(HALF_OPEN_MS_MAX)
  })
})

test("[EDGE11] what a network brings late shows twice when the edge forgets what it has taken", {
  timeout: PATIENCE_MS,
}, async () => {
  await withLanes(1, FORGETFUL, async (lanes) => {
    const [lane] = lanes as [Lane]
    const late = { harm: "late", carrier: "socket", way: "up", shift: -1, ms: 2_000 } as const
    for (const message of [0, 1, 2]) await suffer(lane, { ...late, message })
    const isDouble = async () => lane.recorder.judge(await readLog(lane.stream)).doubled.length > 0
    await expect.poll(isDouble).toBe(true)
  })
})
