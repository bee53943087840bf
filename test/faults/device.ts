import type { BrowserContext, Page } from "playwright-core"
import { createProfile, type Profile } from "../support/chromium.ts"
import { processesOf, RENDERER_PER_TAB } from "../support/processes.ts"
import type { Recorder } from "./recorder.ts"
import type { Rhythm } from "./report.ts"

/** One life of one client of the test app. */
export type Life = { readonly author: string; readonly page: Page }

/** One that is alone in its tab. */
export type Tab = Life & {
  /** The renderer, in which page and thread run. No other tab's. */
  readonly pid: number
}

/** What the tabs of a device open. */
export type Target = { readonly site: string; readonly edge: string; readonly path: string }

/** A browser profile that outlives its browser. What its clients are told goes to the recorder. */
export class Device {
  readonly #profile: Profile
  readonly #recorder: Recorder
  #context: BrowserContext
  #pid: number

  private constructor(profile: Profile, recorder: Recorder, context: BrowserContext, pid: number) {
    this.#profile = profile
    this.#recorder = recorder
    this.#context = context
    this.#pid = pid
  }

  static async start(recorder: Recorder): Promise<Device> {
    const profile = await createProfile(RENDERER_PER_TAB)
    const context = await opened(profile, recorder)
    return new Device(profile, recorder, context, (await processesOf(context)).browser)
  }

  /** Opens a tab in which this author's life begins, at work at once if a rhythm is given. One tab at a time. */
  async visit(author: string, { site, ...target }: Target, rhythm?: Rhythm): Promise<Tab> {
    const before = await processesOf(this.#context)
    const page = await this.#context.newPage()
    await page.goto(site)
    const { renderers } = await processesOf(this.#context)
    const [pid, ...others] = renderers.filter((id) => !before.renderers.includes(id))
    if (pid === undefined || others.length > 0) throw new Error("A new tab should bring one renderer.")
    const options = { ...target, author, account: "default", rhythm }
    await page.evaluate((so) => faults.begin(so), options)
    return { author, page, pid }
  }

  /** SIGKILL to the browser's main process, and a new one with the same profile. */
  async killBrowser(): Promise<void> {
    const closed = new Promise((resolve) => this.#context.once("close", resolve))
    process.kill(this.#pid, "SIGKILL")
    await closed
    this.#context = await opened(this.#profile, this.#recorder)
    this.#pid = (await processesOf(this.#context)).browser
  }

  async end(): Promise<void> {
    await this.#context.close()
    await this.#profile.delete()
  }
}

export const work = ({ page, author }: Life, rhythm: Rhythm) =>
  page.evaluate(([of, so]) => faults.line(of).work(so), [author, rhythm] as const)

export const rest = ({ page, author }: Life) => page.evaluate((of) => faults.line(of).rest(), author)

export const pendingOf = ({ page, author }: Life) => page.evaluate((of) => faults.line(of).pending(), author)

/** What the tab's view shows, author by author. */
export const shownOf = ({ page, author }: Life) => page.evaluate((of) => faults.line(of).shown(), author)

/** Every event that the tab's view shows, in its order. */
export const orderOf = ({ page, author }: Life) => page.evaluate((of) => faults.line(of).order(), author)

/** SIGKILL to a tab's renderer. */
export async function killRenderer({ page, pid }: Tab): Promise<void> {
  const crashed = new Promise((resolve) => page.once("crash", resolve))
  process.kill(pid, "SIGKILL")
  await crashed
  await page.close()
}

async function opened(profile: Profile, recorder: Recorder): Promise<BrowserContext> {
  const context = await profile.open()
  await context.exposeFunction("report", recorder.take)
  return context
}
