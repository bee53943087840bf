import type { Browser } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { layChaosWire } from "../support/chaos-proxy.ts"
import { launchChromium } from "../support/chromium.ts"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { type Site, serveSite } from "../support/site.ts"
import { type Life, orderOf, pendingOf } from "./device.ts"
import { Recorder } from "./recorder.ts"
import { namesIn, settled } from "./settle.ts"

/*
 * The browser grants a site two megabytes, and the app appends until they are full: without a network, and with one.
 */

const PATIENCE_MS = 120_000
const QUOTA_BYTES = 2_000_000
const FILLER_BYTES = 200_000

/** Appends that the quota must have ended, or it is none. */
const APPENDS_MAX = 100

let edge: TestEdge
let site: Site
let browser: Browser

beforeAll(async () => {
  ;[edge, site, browser] = await Promise.all([startEdge(), serveSite("faults/app"), launchChromium()])
}, PATIENCE_MS)

afterAll(async () => {
  await browser.close()
  await site.close()
  await edge.stop()
})

/** @param quotaSize Undefined: as much as the browser likes. */
async function setQuota({ page }: Life, quotaSize?: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const override = { origin: new URL(site.url).origin, ...(quotaSize !== undefined && { quotaSize }) }
  await session.send("Storage.overrideQuotaForOrigin", override)
}

const append = ({ page, author }: Life) => page.evaluate((of) => faults.line(of).append(1), author)

test("[DISK7] a device without room keeps what it has flushed, says so, and goes on when there is room", {
  timeout: PATIENCE_MS,
}, async () => {
  const [recorder, wire] = [new Recorder(), await layChaosWire(edge.url)]
  const context = await browser.newContext()
  await context.exposeFunction("report", recorder.take)
  const tab = { author: "tab", page: await context.newPage() }
  await tab.page.goto(site.url)
  const app = {
    edge: wire.url,
    path: "quota/lines",
    author: "tab",
    account: "tab",
    fillerBytes: FILLER_BYTES,
  }
  await setQuota(tab, QUOTA_BYTES) // before the first write: browsers remember for a while how much is left
  await tab.page.evaluate((options) => faults.begin(options), app)
  const told = recorder.of("tab")
  await recorder.until(() => told.status?.connection === "live")
  wire.cut()
  for (let n = 0; n < APPENDS_MAX && told.refusals.length === 0; n++) await append(tab)
  expect(told.refusals.map(({ code }) => code)).toEqual(["storage-full"])
  const kept = told.flushed.size
  await expect.poll(() => pendingOf(tab)).toBe(kept)

  const answered = wire.arm({ harm: "delay", carrier: "http", way: "down", message: 0, shift: 0, ms: 0 })
  wire.mend()
  await answered.struck // the device has a network again, and no room for what it brings
  await append(tab)
  await setQuota(tab)
  const hasRoom = async () => {
    await append(tab)
    return told.flushed.size > kept
  }
  await expect.poll(hasRoom).toBe(true)
  const log = await settled(recorder, `${edge.url}/v1/stream/${app.path}`)
  await expect.poll(() => orderOf(tab)).toEqual(namesIn(log))
  console.log(
    `${kept} events of ${FILLER_BYTES} bytes fitted, ${told.refused.size} were refused, ${log.length} arrived`,
  )

  const careless = new Recorder() // an app that does not wait for what `append` says
  careless.take({ kind: "flushed", author: "tab", from: 0, count: told.flushed.size + told.refused.size })
  expect(careless.judge(log).lost).toHaveLength(told.refused.size)
  await context.close()
  await wire.close()
})
