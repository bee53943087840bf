import { afterAll, beforeAll, expect, test } from "vitest"
import { type Site, serveSite } from "../support/site.ts"
import { orderOf, pendingOf, type Tab } from "./device.ts"
import { faultsIn, Recorder } from "./recorder.ts"
import { Scene } from "./scene.ts"

/*
 * The browser grants a site two megabytes, and the app appends until they are full: without a network, and with one.
 */

const PATIENCE_MS = 120_000
const QUOTA_BYTES = 2_000_000
const FILLER_BYTES = 60_000

/** Appends that the quota must have ended, or it is none. */
const APPENDS_MAX = 500

let site: Site

beforeAll(async () => {
  site = await serveSite("faults/app")
}, PATIENCE_MS)

afterAll(() => site.close())

/** @param quotaSize Undefined: as much as the browser likes. */
async function setQuota({ page }: Tab, quotaSize?: number): Promise<void> {
  const session = await page.context().newCDPSession(page)
  const override = { origin: new URL(site.url).origin, ...(quotaSize !== undefined && { quotaSize }) }
  await session.send("Storage.overrideQuotaForOrigin", override)
}

const append = ({ page, author }: Tab) => page.evaluate((of) => faults.line(of).append(1), author)

test("[DISK7] a device without room keeps what it has flushed, says so, and goes on when there is room", {
  timeout: PATIENCE_MS,
}, async () => {
  const scene = await Scene.set(site.url, "quota", { fillerBytes: FILLER_BYTES })
  const { recorder, wire } = scene
  const tab = await scene.visit("tab")
  const told = recorder.of("tab")
  await recorder.until(() => told.status?.connection === "live")
  wire.cut()
  await setQuota(tab, QUOTA_BYTES)
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
  await expect.poll(() => pendingOf(tab), { timeout: PATIENCE_MS }).toBe(0)
  const log = await scene.log()
  expect(faultsIn(recorder.judge(log))).toEqual([])
  await expect.poll(() => orderOf(tab)).toEqual(log.map(({ data }) => `${data.author} ${data.n}`))
  console.log(
    `${kept} events of ${FILLER_BYTES} bytes fitted, ${told.refused.size} were refused, ${log.length} arrived`,
  )

  const careless = new Recorder() // an app that does not wait for what `append` says
  careless.take({ kind: "flushed", author: "tab", from: 0, count: told.flushed.size + told.refused.size })
  expect(careless.judge(log).lost).toHaveLength(told.refused.size)
  await scene.clear()
})
