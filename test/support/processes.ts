import type { BrowserContext } from "playwright-core"

/** The processes of a browser, by their ids. */
export type Processes = { readonly browser: number; readonly renderers: readonly number[] }

/** With these each tab has a renderer of its own, and there is none without a tab. */
export const RENDERER_PER_TAB = [
  "--disable-features=SpareRendererForSitePerProcess",
  "--renderer-process-limit=64",
]

export async function processesOf(context: BrowserContext): Promise<Processes> {
  const session = await context.browser()?.newBrowserCDPSession()
  if (session === undefined) throw new Error("The context has no browser of its own.")
  const { processInfo } = await session.send("SystemInfo.getProcessInfo")
  await session.detach()
  const ids = (type: string) => processInfo.filter((info) => info.type === type).map(({ id }) => id)
  const [browser] = ids("browser")
  if (browser === undefined) throw new Error("The browser knows no process of its own.")
  return { browser, renderers: ids("renderer") }
}
