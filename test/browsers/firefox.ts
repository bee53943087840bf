import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findFirefox } from "../../scripts/engines.mjs"
import { BidiSession } from "./bidi.ts"
import {
  answerOf,
  callOf,
  type Engine,
  type EngineBrowser,
  type EnginePage,
  ignore,
  type Json,
  scriptOf,
  showDriven,
} from "./engine.ts"

/** Nothing calls home, nothing is asked, and a page may close itself as it may in the other engines. */
const PREFERENCES = {
  "app.normandy.enabled": false,
  "app.update.enabled": false,
  "browser.aboutwelcome.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.healthreport.uploadEnabled": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "dom.allow_scripts_to_close_windows": true,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "toolkit.telemetry.enabled": false,
}

export const firefox: Engine = {
  name: "firefox",
  launch,
  show: (url) => showDriven(launch, url),
}

async function launch(): Promise<EngineBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "headwater-firefox-"))
  const lines = Object.entries(PREFERENCES).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  )
  await writeFile(join(profile, "user.js"), lines.join("\n"))
  const { browser, url } = await start(profile)
  const exited = once(browser, "exit")
  const session = await BidiSession.connect(url)
  const { capabilities } = await session.call<{ capabilities: { browserVersion: string } }>("session.new", {
    capabilities: {},
  })
  return {
    version: capabilities.browserVersion,
    open: (address) => open(session, address),
    async close() {
      browser.kill("SIGTERM")
      await exited
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function start(profile: string): Promise<{ browser: ChildProcess; url: string }> {
  const path = findFirefox()
  if (path === undefined) throw new Error("No Firefox was found.")
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
  const child = spawn(path, [...args, "about:blank"], { stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (chunk) => {
      said += chunk
      const ready = /WebDriver BiDi listening on (ws:\S+)/.exec(said)
      if (ready?.[1] !== undefined) resolve(ready[1])
    })
    child.once("exit", (code) => reject(new Error(`Firefox ended with ${code}. ${said}`)))
  })
  return { browser: child, url }
}

type Evaluated =
  | { readonly type: "success"; readonly result: { readonly value: string } }
  | { readonly type: "exception"; readonly exceptionDetails: { readonly text: string } }

async function open(session: BidiSession, url: string): Promise<EnginePage> {
  const { context } = await session.call<{ context: string }>("browsingContext.create", { type: "tab" })
  await session.call("browsingContext.navigate", { context, url, wait: "complete" })
  return {
    async evaluate<A extends readonly Json[], T>(work: (...args: A) => T | Promise<T>, ...args: A) {
      const expression = `(async () => {${scriptOf(work, args)}})()`
      const awaited = { expression, target: { context }, awaitPromise: true }
      const evaluated = await session.call<Evaluated>("script.evaluate", awaited)
      if (evaluated.type === "exception") throw new Error(evaluated.exceptionDetails.text)
      return answerOf<T>(evaluated.result.value)
    },
    async leave(work, ...args) {
      const expression = `${callOf(work, args)}; undefined`
      await session
        .call("script.evaluate", { expression, target: { context }, awaitPromise: false })
        .catch(ignore)
    },
    close: async () => void (await session.call("browsingContext.close", { context }).catch(ignore)),
  }
}
