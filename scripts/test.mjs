import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { installChromium } from "./browser.mjs"
import { attempt } from "./edge-process.mjs"
import { installPackages, node, root } from "./install.mjs"

/*
 * npm test -- [what vitest takes]
 *
 * Everything that says whether this project is good, from nothing but a clone. With arguments, vitest alone.
 */

attempt(installPackages)
attempt(installChromium)

const words = process.argv.slice(2)
const checks = [
  { name: "types", tool: "typescript/bin/tsc", args: ["-b"] },
  { name: "format and lint", tool: "@biomejs/biome/bin/biome", args: ["check", "--error-on-warnings"] },
]
const failed = words.length > 0 ? [] : checks.filter(({ tool, args }) => run(tool, args) !== 0)

const folder = mkdtempSync(join(tmpdir(), "headwater-results-"))
const results = join(folder, "results.json")
const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${results}`]
const status = run("vitest/vitest.mjs", ["run", ...reporters, ...words])

for (const { name } of failed) process.stdout.write(`failed: ${name}\n`)
process.stdout.write(`${summary()}\n`)
rmSync(folder, { recursive: true })
process.exit(status !== 0 || failed.length > 0 ? 1 : 0)

/**
 * @param {string} tool
 * @param {string[]} args
 */
function run(tool, args) {
  const PATH = `${root}node_modules/.bin${delimiter}${process.env.PATH}`
  const env = { ...process.env, PATH }
  return spawnSync(node, [`${root}node_modules/${tool}`, ...args], { cwd: root, env, stdio: "inherit" })
    .status
}

/** Types and lint count as one test each. */
function summary() {
  const ran = words.length > 0 ? 0 : checks.length
  try {
    const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(results, "utf8"))
    return `${numPassedTests + ran - failed.length} passed, ${numFailedTests + failed.length} failed`
  } catch {
    return `${ran - failed.length} passed, ${failed.length + 1} failed` // vitest did not get as far as a test
  }
}
