import { resolve } from "node:path"
import { parseArgs } from "node:util"
import { root } from "./install.mjs"

/**
 * @typedef {object} EdgeArguments
 * @property {number} port
 * @property {string} host
 * @property {string} state
 * @property {Record<string, string>} vars
 * @property {string} [entry]
 */

const KNOWN = "--port NUMBER, --host HOST, --state FOLDER, --var NAME=VALUE and --entry FILE"

/**
 * What the command line of `npm start` and `npm run edge` asks for. A folder is meant from where npm was called.
 *
 * @param {string[]} words
 * @returns {EdgeArguments}
 * @throws {Error} one sentence that names what was expected and what came
 */
export function edgeArguments(words) {
  const { port = "8787", host = "127.0.0.1", state, var: vars = [], entry } = options(words)
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new Error(`--port must be a number from 0 (any free port) to 65535; "${port}" came.`)
  }
  if (state === "") throw new Error("--state must be a folder; nothing came.")
  if (host === "") throw new Error("--host must be a host name or an address; nothing came.")
  if (entry === "") throw new Error("--entry must be a file; nothing came.")
  return {
    port: Number(port),
    host,
    state: state === undefined ? `${root}.headwater` : fromHere(state),
    vars: Object.fromEntries(vars.map(variable)),
    ...(entry !== undefined && { entry: fromHere(entry) }),
  }
}

/** @param {string} path */
function fromHere(path) {
  return resolve(process.env.INIT_CWD ?? ".", path)
}

/** @param {string[]} words */
function options(words) {
  try {
    const text = /** @type {const} */ ({ type: "string" })
    const known = {
      port: text,
      host: text,
      state: text,
      entry: text,
      var: { ...text, multiple: /** @type {const} */ (true) },
    }
    return parseArgs({ args: words, options: known }).values
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(". ")[0] : String(error)
    throw new Error(`${reason}. Known are ${KNOWN}.`)
  }
}

/**
 * @param {string} word
 * @returns {[name: string, value: string]}
 */
function variable(word) {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? []
  if (name === undefined || value === undefined) {
    throw new Error(`--var must be NAME=VALUE; "${word}" came.`)
  }
  return [name, value]
}

/**
 * Whether only this machine reaches a server that listens there.
 *
 * @param {string} host
 */
export function isLoopback(host) {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * Where a server that listens there is reached from this machine.
 *
 * @param {string} host
 */
export function reachableHost(host) {
  return host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host
}
