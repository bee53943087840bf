import { afterAll, beforeAll, expect, test } from "vitest"
import { type Site, serveSite } from "../support/site.ts"
import type { Tab } from "./device.ts"
import { ENDINGS, patienceMs } from "./scale.ts"
import { Scene } from "./scene.ts"
import { settled } from "./settle.ts"

/*
 * A page appends, and is gone in the very task: nobody could tell it that anything was flushed. All of it counts.
 */

const PATIENCE_MS = patienceMs(ENDINGS, 10_000)
const EVENTS = 100

/** Later than the task that ends the page. */
const TOO_LATE_MS = 1_000

/** What appends and ends the page, and what shows that it has. Done in the page, so each is whole in itself. */
const KINDS = {
  reload: {
    event: "load",
    act: ([author, events]: Told) => {
      void faults.line(author).append(events)
      location.reload()
    },
  },
  navigation: {
    event: "load",
    act: ([author, events]: Told) => {
      void faults.line(author).append(events)
      location.assign("about:blank")
    },
  },
  close: {
    event: "close",
    act: ([author, events]: Told) => {
      void faults.line(author).append(events)
      window.close()
    },
  },
} as const

type Told = readonly [author: string, events: number]

let site: Site

beforeAll(async () => {
  site = await serveSite("faults/app")
}, PATIENCE_MS)

afterAll(() => site.close())

async function end(
  scene: Scene,
  author: string,
  event: "load" | "close",
  how: (tab: Tab) => Promise<void>,
): Promise<void> {
  const tab = await scene.visit(author)
  await scene.recorder.until(() => scene.recorder.of(author).status?.role === "leader")
  scene.recorder.take({ kind: "flushed", author, from: 0, count: EVENTS }) // as good as
  const session = await tab.page.context().newCDPSession(tab.page)
  await session.send("Page.resetNavigationHistory") // or else a page may not close itself
  const gone = event === "close" ? tab.page.waitForEvent("close") : tab.page.waitForEvent("load")
  how(tab).catch(() => {}) // the page that would answer is gone
  await gone
  await tab.page.close()
}

/** The next visit brings to the edge what was left. */
async function visitAgain(scene: Scene): Promise<void> {
  await scene.visit("last")
  await scene.recorder.until(() => scene.recorder.of("last").status?.connection === "live")
}

test.each(Object.entries(KINDS))(
  `[LOG7] nothing of ${EVENTS} events is lost when a %s comes in their task, in ${ENDINGS} of ${ENDINGS} runs`,
  { timeout: PATIENCE_MS },
  async (kind, { event, act }) => {
    const scene = await Scene.set(site.url, `ending/${kind}`)
    for (let run = 0; run < ENDINGS; run++) {
      if (run % 2 === 1) scene.wire.cut() // or else it may be the edge's answer that comes in between
      await end(scene, `${kind}-${run}`, event, ({ page, author }) =>
        page.evaluate(act, [author, EVENTS] as const),
      )
      scene.wire.mend()
    }
    await visitAgain(scene)
    await settled(scene.recorder, scene.stream)
    console.log(`${ENDINGS} of ${ENDINGS} runs with a ${kind} in the task of ${EVENTS} events lost none`)
    await scene.clear()
  },
)

test("[LOG7] what an app appends in a later task than the one that ends its page is lost", async () => {
  const scene = await Scene.set(site.url, "ending/late")
  await end(scene, "late", "load", ({ page, author }) =>
    page.evaluate(
      ([of, events, ms]) => {
        setTimeout(() => void faults.line(of).append(events), ms)
        location.reload()
      },
      [author, EVENTS, TOO_LATE_MS] as const,
    ),
  )
  await visitAgain(scene)
  expect(scene.recorder.judge(await scene.log()).lost).toHaveLength(EVENTS)
  await scene.clear()
})
