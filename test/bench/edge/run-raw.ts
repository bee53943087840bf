import { fileURLToPath } from "node:url"
import { edgeArguments } from "../../../scripts/arguments.mjs"
import { attempt, runEdge } from "../../../scripts/edge-process.mjs"

/* The raw worker, with the arguments and the answer of `npm run edge`, in the same runtime. */

const config = fileURLToPath(new URL("raw/wrangler.toml", import.meta.url))
const options = attempt(() => edgeArguments(process.argv.slice(2)), 2)
runEdge({ ...options, config }, (url) => process.stdout.write(`ready ${url}\n`))
