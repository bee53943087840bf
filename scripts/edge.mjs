import { edgeArguments } from "./arguments.mjs"
import { attempt, runEdge } from "./edge-process.mjs"
import { installPackages } from "./install.mjs"

/*
 * npm run edge -- [--port NUMBER] [--state FOLDER] [--entry FILE]
 *
 * The edge alone. Its only line on stdout is "ready <url>", when it accepts requests. FILE is a module of your own to
 * run in place of worker/index.ts: it exports the same names.
 */

const options = attempt(() => edgeArguments(process.argv.slice(2)), 2)
attempt(installPackages)
runEdge(options, (url) => process.stdout.write(`ready ${url}\n`))
