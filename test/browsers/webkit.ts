import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findMiniBrowser } from "../../scripts/engines.mjs"
import { answerOf, callOf, type Engine, type EnginePage, ignore, type Json, scriptOf } from "./engine.ts"
import { WebDriverSession } from "./webdriver.ts"

/**
 * WebKitGTK, by the browser that comes with it. One that is driven keeps everything in memory; one that only shows a
 * page has a profile on disk, as a user's has.
 */
export const webkit: Engine = {
  name: "webkit",
  async launch() {
    const port = await freePort()
    const program = await onDisplay(["WebKitWebDriver", `--port=${port}`])
    const driver = `http://127.0.0.1:${port}`
    await listening(driver)
    const session = await WebDriverSession.start(driver, {
      "webkitgtk:browserOptions": { binary: miniBrowser(), args: ["--automation"] },
    })
    return {
      version: session.browserVersion,
      open: (url) => open(session, url),
      async close() {
        await session.end()
        await program.end()
      },
    }
  },
  async show(url) {
    const program = await onDisplay([miniBrowser(), url])
    return { close: program.end }
  },
}

async function open(session: WebDriverSession, url: string): Promise<EnginePage> {
  const window = await session.newWindow()
  // Replaced, so that it is the only entry of the window's history: else the page may not close itself.
  const leave = { script: "location.replace(arguments[0])", args: [url] }
  await session.inWindow(window, "POST", "/execute/sync", leave)
  const arrive = {
    script: "arguments[1](location.href.startsWith(arguments[0]) && document.readyState === 'complete')",
    args: [url],
  }
  let isThere = false
  while (!isThere) {
    // A driver that is asked while one page goes and the other comes may say that the page has gone.
    isThere = (await session.inWindow(window, "POST", "/execute/async", arrive).catch(ignore)) === true
  }
  return {
    async evaluate<A extends readonly Json[], T>(work: (...args: A) => T | Promise<T>, ...args: A) {
      const script = `const answer = arguments[0]; (async () => {${scriptOf(work, args)}})().then(answer)`
      const text = await session.inWindow(window, "POST", "/execute/async", { script, args: [] })
      return answerOf<T>(String(text))
    },
    async leave(work, ...args) {
      const script = { script: callOf(work, args), args: [] }
      await session.inWindow(window, "POST", "/execute/sync", script).catch(ignore)
    },
    async close() {
      while ((await session.windows()).includes(window)) {
        await session.inWindow(window, "DELETE", "/window").catch(ignore) // it may be closing itself
      }
    },
  }
}

/** Runs a program that needs a display and a session, on ones of its own, with a home that ends with it. */
async function onDisplay(command: readonly string[]): Promise<{ end(): Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), "headwater-webkit-"))
  const env = {
    ...process.env,
    XDG_DATA_HOME: home,
    XDG_CACHE_HOME: home,
    XDG_CONFIG_HOME: home,
    WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: "1", // a container has no namespaces to give; all pages are ours
  }
  const args = ["--", "xvfb-run", "--auto-servernum", ...command]
  const group = spawn("dbus-run-session", args, { detached: true, stdio: "ignore", env })
  const exited = once(group, "exit")
  const killGroup = () => signalGroup(group, "SIGKILL")
  process.once("exit", killGroup)
  return {
    async end() {
      process.off("exit", killGroup)
      signalGroup(group, "SIGTERM")
      await exited
      await rm(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** The driver's browser is a grandchild: only the group has them all. */
function signalGroup({ pid, exitCode, signalCode }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal)
}

function miniBrowser(): string {
  const path = findMiniBrowser()
  if (path === undefined) throw new Error("No WebKitGTK was found.")
  return path
}

/** Resolves when somebody answers at `url`. */
async function listening(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(`${url}/status`)
      return
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  if (address === null || typeof address === "string") throw new Error("There is no free port.")
  return address.port
}
