import { spawnSync } from "node:child_process"
import { attempt, QUIET } from "./edge-process.mjs"
import { installPackages, node, root } from "./install.mjs"

/*
 * npm run deploy -- [what `wrangler deploy` takes, for example --dry-run]
 *
 * Puts the edge on Cloudflare. A dry run needs neither an account nor a network.
 */

attempt(installPackages)
const deploy = [`${root}node_modules/wrangler/bin/wrangler.js`, "deploy", ...process.argv.slice(2)]
const { status } = spawnSync(node, deploy, { cwd: root, env: { ...process.env, ...QUIET }, stdio: "inherit" })
process.exit(status ?? 1)
