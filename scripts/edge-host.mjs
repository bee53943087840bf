import { readFileSync, writeFileSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { createRequire } from "node:module"
import { connect, createServer } from "node:net"
import { root } from "./install.mjs"

/*
 * The edge on this machine: a wrangler.toml, run by the runtime that wrangler is made of. The same program as
 * `wrangler dev`, without the two proxies that reload code, which double the time of a request.
 */

/**
 * `config` is the wrangler.toml of another worker to run in place of ours.
 *
 * @typedef {{ port: number, state: string, assets?: string, config?: string }} EdgeOptions
 */

const HOST = "127.0.0.1"
const FREE_MS_MAX = 3_000

// The process that started this one is gone, and cannot say goodbye: take the runtime along at once.
process.on("disconnect", () =>
  process.kill(process.platform === "win32" ? process.pid : -process.pid, "SIGKILL"),
)

try {
  await serve(JSON.parse(process.argv[2] ?? "{}"))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

/** @param {EdgeOptions} options */
async function serve({ port, state, assets, config = `${root}wrangler.toml` }) {
  const chosen = await freePort(port)
  await mkdir(state, { recursive: true }).catch((error) => {
    throw new Error(`The state folder ${state} cannot be made: ${error.message}`)
  })
  await claim(state, chosen)
  const runtime = await startRuntime(config, chosen, state, assets)
  process.on("message", async () => {
    await runtime.dispose()
    process.exit(0)
  })
  process.send?.({ ready: `http://${HOST}:${chosen}` })
}

/**
 * @param {string} config
 * @param {number} port
 * @param {string} state
 * @param {string | undefined} assets
 */
async function startRuntime(config, port, state, assets) {
  const wrangler = await import("wrangler")
  const { main, workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(config)
  const { modulesRules: _, ...bindings } = workerOptions // the bundle is one module
  if (main === undefined) throw new Error(`${config} names no main file.`)

  // Both are parts of wrangler, so they are asked for in its name: npm may put them anywhere.
  const ofWrangler = createRequire(import.meta.resolve("wrangler"))
  const { Miniflare, Log, LogLevel, convertV4MiniflareOptions } = ofWrangler("miniflare")
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      ...bindings,
      name: "headwater",
      modules: true,
      script: await bundle(ofWrangler("esbuild"), main),
      ...entrance(port, assets),
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
 * @param {number} port
 * @param {string | undefined} assets
 */
function entrance(port, assets) {
  return assets === undefined
    ? { port: 0, unsafeDirectSockets: [{ host: HOST, port }] }
    : { host: HOST, port, assets: { directory: assets, routerConfig: { has_user_worker: true } } }
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
 * @returns {Promise<number>}
 */
async function freePort(wanted) {
  for (const end = Date.now() + FREE_MS_MAX; ; await pause()) {
    const found = await tryPort(wanted)
    if (found !== undefined) return found
    if (Date.now() > end) throw new Error(`Port ${wanted} is in use. Choose another with --port.`)
  }
}

/**
 * @param {number} wanted
 * @returns {Promise<number | undefined>}
 */
function tryPort(wanted) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "EADDRINUSE") resolve(undefined)
      else reject(new Error(`Port ${wanted} cannot be opened: ${error.message}`))
    })
    server.listen(wanted, HOST, () => {
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
 */
async function claim(state, port) {
  const file = `${state}/port`
  for (const end = Date.now() + FREE_MS_MAX; ; await pause()) {
    const other = readPort(file)
    if (other === undefined || other === port || !(await accepts(other))) break
    if (Date.now() > end)
      throw new Error(`The state in ${state} is served already, at http://${HOST}:${other}.`)
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
 * @returns {Promise<boolean>}
 */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, HOST)
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
