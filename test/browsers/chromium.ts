import { launchChromium } from "../support/chromium.ts"
import {
  answerOf,
  callOf,
  type Engine,
  type EngineBrowser,
  ignore,
  type Json,
  scriptOf,
  showDriven,
} from "./engine.ts"

export const chromium: Engine = {
  name: "chromium",
  launch,
  show: (url) => showDriven(launch, url),
}

async function launch(): Promise<EngineBrowser> {
  const browser = await launchChromium()
  const context = await browser.newContext()
  return {
    version: browser.version(),
    async open(url) {
      const page = await context.newPage()
      await page.goto(url)
      return {
        async evaluate<A extends readonly Json[], T>(work: (...args: A) => T | Promise<T>, ...args: A) {
          return answerOf<T>(await page.evaluate<string>(`(async () => {${scriptOf(work, args)}})()`))
        },
        leave: (work, ...args) => page.evaluate<void>(`${callOf(work, args)}; undefined`).catch(ignore),
        close: () => page.close(),
      }
    },
    close: () => browser.close(),
  }
}
