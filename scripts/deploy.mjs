import { spawnSync } from "node:child_process"
import { attempt, fail, QUIET } from "./edge-process.mjs"
import { installPackages, node, root } from "./install.mjs"

/*
 * npm run deploy -- [what `wrangler deploy` takes, for example --dry-run or --var NAME:VALUE]
 *
 * Puts the edge on Cloudflare, unless nobody could use it there: without keys a deployed edge answers 503 to
 * everything. A dry run needs neither keys nor an account nor a network.
 */

const NEEDED = ["ACCESS_ISSUER", "ACCESS_AUDIENCE", "ACCESS_ALGORITHMS"]

const words = process.argv.slice(2)
attempt(installPackages)
const missing = words.includes("--dry-run") ? [] : await missingVariables()
if (missing.length > 0) {
  const names = new Intl.ListFormat("en").format(missing)
  fail(
    `${names} must be in [vars] of wrangler.toml, or come by --var NAME:VALUE, with ACCESS_JWKS or ` +
      "ACCESS_JWKS_URL; ACCESS_JWKS may be a secret (wrangler secret put ACCESS_JWKS). " +
      "Without them the edge would let nobody in.",
    2,
  )
}
const deploy = [`${root}node_modules/wrangler/bin/wrangler.js`, "deploy", ...words]
const { status } = spawnSync(node, deploy, { cwd: root, env: { ...process.env, ...QUIET }, stdio: "inherit" })
process.exit(status ?? 1)

/** Those that say whose tokens count. Keys may be secrets, which are not seen from here. */
async function missingVariables() {
  const { unstable_readConfig } = await import("wrangler")
  const { vars } = unstable_readConfig({ config: `${root}wrangler.toml` })
  return NEEDED.filter((name) => !vars[name] && !words.some((word) => saysVariable(word, name)))
}

/**
 * `--var A:1 B:2`, `--var=A:1`
 *
 * @param {string} word
 * @param {string} name
 */
function saysVariable(word, name) {
  return word.replace(/^--var=/, "").startsWith(`${name}:`)
}
