import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { delimiter, join } from "node:path"
import { node, root } from "./install.mjs"

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
const PLACES = [
  "/usr/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
]

/**
 * The Chromium or Chrome of this machine, or the one that Playwright has downloaded.
 *
 * @returns {string | undefined} its path
 */
export function findChromium() {
  const { CHROMIUM_PATH, PATH = "" } = process.env
  if (CHROMIUM_PATH !== undefined && CHROMIUM_PATH !== "") return CHROMIUM_PATH
  const named = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)))
  return [...PLACES, ...named, playwrightChromium()].find((path) => path !== undefined && existsSync(path))
}

/**
 * Sees to it that there is a browser to test in.
 *
 * @throws {Error} when there is none and none could be installed
 */
export function installChromium() {
  if (findChromium() !== undefined) return
  process.stderr.write("Installing a browser for the tests (once)...\n")
  const debian = existsSync("/etc/debian_version") && process.getuid?.() === 0
  if (!(debian && installFromDebian()))
    run(node, [`${root}node_modules/playwright/cli.js`, "install", "chromium"])
  if (findChromium() === undefined) {
    throw new Error("The tests need Chromium or Chrome: install one, or name one in CHROMIUM_PATH.")
  }
}

function installFromDebian() {
  const wait = ["-o", "DPkg::Lock::Timeout=300"]
  const env = { DEBIAN_FRONTEND: "noninteractive" }
  run("apt-get", [...wait, "update", "-qq"], env)
  return run("apt-get", [...wait, "install", "-y", "-qq", "--no-install-recommends", "chromium"], env)
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {Record<string, string>} [env]
 */
function run(command, args, env = {}) {
  return spawnSync(command, args, { stdio: ["ignore", 2, 2], env: { ...process.env, ...env } }).status === 0
}

/** @returns {string | undefined} */
function playwrightChromium() {
  try {
    return createRequire(import.meta.url)("playwright-core").chromium.executablePath()
  } catch {
    return undefined // not installed yet
  }
}
