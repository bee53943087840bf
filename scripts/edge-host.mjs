import { readFileSync, writeFileSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { createRequire } from "node:module"
import { connect, createServer, isIPv6 } from "node:net"
import { isLoopback, reachableHost } from "./arguments.mjs"
import { root } from "./install.mjs"

/*
 * The edge on this machine: a wrangler.toml, run by the runtime that wrangler is made of. The same program as
 * `wrangler dev`, without the two proxies that reload code, which double the time of a request.
 */

/**
 * `config` is the wrangler.toml of another worker to run in place of ours; `entry` the module to run in place of the
 * one that it names, with the same bindings.
 *
 * @typedef {import("./arguments.mjs").EdgeArguments & { assets?: string, config?: string }} EdgeOptions
 */

const FREE_MS_MAX = 3_000

/** With any of these the edge asks for tokens. */
const KEYS = ["ACCESS_ISSUER", "ACCESS_AUDIENCE", "ACCESS_ALGORITHMS", "ACCESS_JWKS", "ACCESS_JWKS_URL"]

/** What was asked for cannot be, however often it is tried. */
class Impossible extends Error {}

// The process that started this one is gone, and cannot say goodbye: take the runtime along at once.
process.on("disconnect", () =>
  process.kill(process.platform === "win32" ? process.pid : -process.pid, "SIGKILL"),
)

try {
  await serve(JSON.parse(process.argv[2] ?? "{}"))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(error instanceof Impossible ? 2 : 1)
}

/** @param {EdgeOptions} options */
async function serve({ port, host, state, vars, assets, entry, config = `${root}wrangler.toml` }) {
  const wrangler = await import("wrangler")
  const { main, workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(config)
  const module = entry ?? main
  if (module === undefined) throw new Error(`${config} names no main file.`)
  const { modulesRules: _, ...settings } = workerOptions // the bundle is one module
  const bindings = withAccess(Object.assign({}, settings.bindings, vars), host)
  const chosen = await freePort(port, host)
  await mkdir(state, { recursive: true }).catch((error) => {
    throw new Error(`The state folder ${state} cannot be made: ${error.message}`)
  })
  await claim(state, chosen, host)
  const place = entrance(host, chosen, assets)
  const runtime = await startRuntime({ ...settings, ...place, bindings }, module, state)
  process.on("message", async () => {
    await runtime.dispose()
    process.exit(0)
  })
  process.send?.({ ready: `http://${urlHost(host)}:${chosen}`, isOpen: bindings.ACCESS === "open" })
}

/** @param {string} host */
function urlHost(host) {
  const reachable = reachableHost(host)
  return isIPv6(reachable) ? `[${reachable}]` : reachable
}

/**
 * Without keys everybody who reaches the edge may do everything, so only this machine may reach it.
 *
 * @param {Record<string, unknown>} bindings of wrangler.toml, .dev.vars and the command line
 * @param {string} host
 */
function withAccess(bindings, host) {
  const { ACCESS: _, ...others } = bindings
  if (KEYS.some((name) => Boolean(bindings[name]))) return others
  if (isLoopback(host)) return { ...others, ACCESS: "open" }
  throw new Impossible(
    `--host ${host} lets other machines in, and no keys are given to tell who they are: give ACCESS_ISSUER, ` +
      "ACCESS_AUDIENCE, ACCESS_ALGORITHMS and ACCESS_JWKS or ACCESS_JWKS_URL by --var NAME=VALUE or in .dev.vars.",
  )
}

/**
 * @param {object} settings
 * @param {string} main
 * @param {string} state
 */
async function startRuntime(settings, main, state) {
  // Both are parts of wrangler, so they are asked for in its name: npm may put them anywhere.
  const ofWrangler = createRequire(import.meta.resolve("wrangler"))
  const { Miniflare, Log, LogLevel, convertV4MiniflareOptions } = ofWrangler("miniflare")
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      ...settings,
      name: "headwater",
      modules: true,
      script: await bundle(ofWrangler("esbuild"), main),
      cf: false,
      log: new Log(LogLevel.WARN),
      resourcePersistencePath: state,
    }),
  )
  await runtime.ready
  return runtime
}

/**
 * How requests come in. Miniflare puts a worker of its own before ours, which adds almost half to the time of an
 * append; only an edge with assets has work for it.
 *
 * @param {string} host
 * @param {number} port
 * @param {string | undefined} assets
 */
function entrance(host, port, assets) {
  return assets === undefined
    ? { host: "127.0.0.1", port: 0, unsafeDirectSockets: [{ host, port }] }
    : { host, port, assets: { directory: assets, routerConfig: { has_user_worker: true } } }
}

/**
 * @param {{ build(options: object): Promise<{ outputFiles: { text: string }[] }> }} esbuild
 * @param {string} main
 */
async function bundle(esbuild, main) {
  const { outputFiles } = await esbuild.build({
    entryPoints: [main],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    sourcemap: "inline",
    logLevel: "error",
  })
  return outputFiles[0]?.text ?? ""
}

/**
 * An edge that was killed a moment ago may hold its port a little longer, hence the patience.
 *
 * @param {number} wanted 0 for any
 * @param {string} host
 * @returns {Promise<number>}
 */
async function freePort(wanted, host) {
  for (const end = Date.now() + FREE_MS_MAX; ; await pause()) {
    const found = await tryPort(wanted, host)
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`Port ${wanted} is in use. Choose another with --port.`)
  }
}

/**
 * @param {number} wanted
 * @param {string} host
 * @returns {Promise<number | undefined>}
 */
function tryPort(wanted, host) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "EADDRINUSE") resolve(undefined)
      else reject(new Error(`Port ${wanted} of ${host} cannot be opened: ${error.message}`))
    })
    server.listen(wanted, host, () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : wanted
      server.close(() => resolve(port))
    })
  })
}

/**
 * Two edges over one state would each order the same streams, so the second one does not start.
 *
 * @param {string} state
 * @param {number} port
 * @param {string} host
 */
async function claim(state, port, host) {
  const file = `${state}/port`
  for (const end = Date.now() + FREE_MS_MAX; ; await pause()) {
    const other = readPort(file)
    if (other === undefined || other === port || !(await accepts(other, host))) break
    if (Date.now() > end) throw new Error(`The state in ${state} is served already, at port ${other}.`)
  }
  writeFileSync(file, `${port}\n`)
}

/** @param {string} file */
function readPort(file) {
  try {
    return Number(readFileSync(file, "utf8"))
  } catch {
    return undefined // nobody has served this state yet
  }
}

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>}
 */
function accepts(port, host) {
  return new Promise((resolve) => {
    const socket = connect(port, reachableHost(host))
    socket.once("error", () => resolve(false))
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 50))
}
