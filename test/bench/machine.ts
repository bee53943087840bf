import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os"
import { findChromium } from "../../scripts/browser.mjs"

/** Where and with what the figures were measured, as lines of text. */
export function describeMachine(): string[] {
  const [cpu] = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return [
    `${new Date().toISOString()}, commit ${commit()}`,
    `${cpus().length} x ${cpu?.model.trim() ?? "unknown CPU"}, ${memory} GiB, ${platform()} ${release()} ${arch()}`,
    `Node ${process.versions.node}, ${chromiumVersion()}, workerd ${versionOf("workerd")}, ` +
      `Vite ${versionOf("vite")}, ` +
      `SQLite WASM ${versionOf("@sqlite.org/sqlite-wasm")}`,
    loadLine("before"),
  ]
}

/** How busy the machine was: figures of a machine that does other work are pessimistic, ratios less so. */
export function loadLine(when: string): string {
  const [one = 0, five = 0] = loadavg()
  return `load average ${when}: ${one.toFixed(2)} over 1 minute, ${five.toFixed(2)} over 5`
}

function chromiumVersion(): string {
  const browser = findChromium()
  const version = browser === undefined ? undefined : output(browser, "--version")
  return version ?? "Chromium of an unknown version"
}

function commit(): string {
  const id = output("git", "rev-parse", "--short", "HEAD")
  if (id === undefined) return "unknown"
  return output("git", "status", "--porcelain", "--", "client", "shared", "worker") === ""
    ? id
    : `${id} with changes`
}

function versionOf(name: string): string {
  const require = createRequire(import.meta.url)
  const file = require.resolve.paths(name)?.map((folder) => `${folder}/${name}/package.json`)
  for (const path of file ?? []) {
    try {
      return JSON.parse(readFileSync(path, "utf8")).version
    } catch {
      // Not in this folder: the next one is asked.
    }
  }
  return "unknown"
}

function output(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return undefined // a machine without it is described without it
  }
}
