import { spawnSync } from "node:child_process"
import { delimiter } from "node:path"
import { attempt, fail } from "./edge-process.mjs"
import { ENGINES } from "./engines.mjs"
import { installPackages, node, root } from "./install.mjs"

/*
 * npm run test:browsers -- [what vitest takes]
 *
 * The client in every engine that this machine has: the tests of test/browser, and test/browsers. An engine that is
 * not there is named and left out; docs/browsers.md says what differs between them. One engine: --project "firefox*"
 */

attempt(installPackages)

const missing = ENGINES.filter(({ isThere }) => !isThere())
for (const { title, packages } of missing) {
  process.stderr.write(`${title} is left out, since it is not installed: apt-get install ${packages}\n`)
}
if (missing.length === ENGINES.length) fail("No engine was found, so nothing was tested.")

const PATH = `${root}node_modules/.bin${delimiter}${process.env.PATH}`
const args = ["run", "--config", "test/browsers/vitest.config.ts", ...process.argv.slice(2)]
const { status } = spawnSync(node, [`${root}node_modules/vitest/vitest.mjs`, ...args], {
  cwd: root,
  env: { ...process.env, PATH },
  stdio: "inherit",
})
process.exit(status ?? 1)
