import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { root } from "./install.mjs"

/** @typedef {{ port: number, state: string, entry?: string }} EdgeArguments */

/**
 * What the command line of `npm start` and `npm run edge` asks for. A folder is meant from where npm was called.
 *
 * @param {string[]} words
 * @returns {EdgeArguments}
 * @throws {Error} one sentence that names what was expected and what came
 */
export function edgeArguments(words) {
  const { port = "8787", state, entry } = options(words)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Error(`--port must be a number from 0 (any free port) to 65535; "${port}" came.`)
  }
  if (state === "") throw new Error("--state must be a folder; nothing came.")
  if (entry === "") throw new Error("--entry must be a file; nothing came.")
  return {
    port: Number(port),
    state: state === undefined ? `${root}.headwater` : fromHere(state),
    ...(entry !== undefined && { entry: fromHere(entry) }),
  }
}

/** @param {string} path */
function fromHere(path) {
  return resolve(process.env.INIT_CWD ?? ".", path)
}

/** @type {Record<"port" | "state" | "entry", { type: "string" }>} */
const KNOWN = { port: { type: "string" }, state: { type: "string" }, entry: { type: "string" } }

/** @param {string[]} words */
function options(words) {
  try {
    return parseArgs({ args: words, options: KNOWN }).values
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(". ")[0] : String(error)
    throw new Error(`${reason}. Known are --port NUMBER, --state FOLDER and --entry FILE.`)
  }
}
