import type { Browser } from "playwright-core"
import { afterAll, beforeAll } from "vitest"
import { launchChromium } from "./chromium.ts"
import { type EdgeOptions, startEdge, type TestEdge } from "./edge.ts"
import { layWire, type Wire } from "./proxy.ts"
import { type Site, serveSite } from "./site.ts"

/** What a test of the whole path plays on: a real edge, a wire to it, the test app and a browser. */
export type Stage = { edge: TestEdge; wire: Wire; site: Site; browser: Browser }

/** Sets the stage before the tests of a file and clears it after them. Read its parts inside tests only. */
export function setStage(options: EdgeOptions = {}): Stage {
  const stage: Partial<Stage> = {}
  beforeAll(async () => {
    const [edge, site, browser] = await Promise.all([
      startEdge(options),
      serveSite("e2e/app"),
      launchChromium(),
    ])
    Object.assign(stage, { edge, site, browser, wire: await layWire(edge.url) })
  })
  afterAll(async () => {
    await stage.browser?.close()
    await Promise.all([stage.site?.close(), stage.wire?.close()])
    await stage.edge?.stop()
  })
  return stage as Stage // whole when the tests run
}
