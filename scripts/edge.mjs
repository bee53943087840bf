import { edgeArguments } from "./arguments.mjs"
import { attempt, runEdge } from "./edge-process.mjs"
import { installPackages } from "./install.mjs"

/*
 * npm run edge -- [--port NUMBER] [--host HOST] [--state FOLDER] [--var NAME=VALUE]... [--entry FILE]
 *
 * The edge alone. Its only line on stdout is "ready <url>", when it accepts requests. Without
 * keys among its variables access is open, and then it serves this machine only. FILE is a module
 * of your own to run in place of worker/index.ts: it exports the same names.
 */

const options = attempt(() => edgeArguments(process.argv.slice(2)), 2)
attempt(installPackages)
runEdge(options, (url) => process.stdout.write(`ready ${url}\n`))
