import { spawnSync } from "node:child_process"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { edgeArguments, isLoopback } from "./arguments.mjs"
import { attempt, runEdge } from "./edge-process.mjs"
import { installPackages, node, root } from "./install.mjs"

/*
 * npm start -- [--port NUMBER] [--host HOST] [--state FOLDER] [--var NAME=VALUE]...
 *
 * The edge and the demo at one address, from nothing but a clone.
 */

const DEMO = `${root}demo/dist`
const SOURCES = ["client", "shared", "demo", "package-lock.json"]

const options = attempt(() => edgeArguments(process.argv.slice(2)), 2)
attempt(installPackages)
attempt(buildDemo)
runEdge({ ...options, assets: DEMO }, (url) => {
  const { port } = new URL(url)
  const place = isLoopback(options.host)
    ? `http://localhost:${port}, for this machine only`
    : `${url}, for whoever reaches ${options.host}`
  process.stdout.write(`Headwater runs at ${place}; its data is in ${options.state}. Ctrl-C stops it.\n`)
})

/** Builds the demo unless its output is younger than all that it is made of. */
function buildDemo() {
  if (newest(`${root}demo/dist/index.html`) > Math.max(...SOURCES.map((path) => newest(root + path)))) return
  process.stderr.write("Building the demo...\n")
  const vite = [`${root}node_modules/vite/bin/vite.js`, "build", "demo", "--logLevel", "warn"]
  const { status } = spawnSync(node, vite, { cwd: root, stdio: ["ignore", 2, 2] })
  if (status !== 0) throw new Error("The demo could not be built; vite's own words are above.")
}

/**
 * When anything at or below the path was last written; 0 when nothing is there.
 *
 * @param {string} path
 * @returns {number}
 */
function newest(path) {
  const here = statSync(path, { throwIfNoEntry: false })
  if (here === undefined) return 0
  if (!here.isDirectory()) return here.mtimeMs
  const below = readdirSync(path).filter((name) => name !== "dist" && name !== "node_modules")
  return Math.max(0, ...below.map((name) => newest(join(path, name))))
}
