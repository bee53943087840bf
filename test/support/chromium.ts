import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Browser, type BrowserContext, chromium, type LaunchOptions } from "playwright-core"
import { findChromium } from "../../scripts/browser.mjs"

/** What every test's browser is started with: nothing of it calls home, and it runs as root in a container. */
export function launchOptions(): Pick<LaunchOptions, "headless"> & {
  executablePath: string
  args: string[]
} {
  const executablePath = findChromium()
  if (executablePath === undefined)
    throw new Error("No Chromium or Chrome was found. `npm test` installs one.")
  return {
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  }
}

/** A browser whose contexts each begin with nothing stored. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch(launchOptions())
}

/** A browser profile on disk: what is stored in it is there when it is opened again. */
export type Profile = {
  /** Starts a browser with this profile. Close the context to end it. */
  open(): Promise<BrowserContext>
  delete(): Promise<void>
}

/** @param args What the browser is started with beside what every test's browser is. */
export async function createProfile(args: readonly string[] = []): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), "headwater-profile-"))
  const options = launchOptions()
  return {
    open: () => chromium.launchPersistentContext(folder, { ...options, args: [...options.args, ...args] }),
    delete: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}
