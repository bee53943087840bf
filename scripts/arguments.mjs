import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { root } from "./install.mjs"

/** @typedef {{ port: number, state: string }} EdgeArguments */

/**
 * What the command line of `npm start` and `npm run edge` asks for. A folder is meant from where npm was called.
 *
 * @param {string[]} words
 * @returns {EdgeArguments}
 * @throws {Error} one sentence that names what was expected and what came
 */
export function edgeArguments(words) {
  const { port = "8787", state } = options(words)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Error(`--port must be a number from 0 (any free port) to 65535; "${port}" came.`)
  }
  if (state === "") throw new Error("--state must be a folder; nothing came.")
  return {
    port: Number(port),
    state: state === undefined ? `${root}.headwater` : resolve(process.env.INIT_CWD ?? ".", state),
  }
}

/** @param {string[]} words */
function options(words) {
  try {
    return parseArgs({ args: words, options: { port: { type: "string" }, state: { type: "string" } } }).values
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(". ")[0] : String(error)
    throw new Error(`${reason}. Known are --port NUMBER and --state FOLDER.`)
  }
}
