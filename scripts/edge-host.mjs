import { readFileSync, writeFileSync } from "node:fs"
import { mkdir } from "node:fs/promises"
import { createRequire } from "node:module"
import { connect, createServer } from "node:net"
import { root } from "./install.mjs"

/*
 * The edge on this machine: wrangler.toml, run by the runtime that wrangler is made of. The same program as
 * `wrangler dev`, without the two proxies that reload code, which double the time of a request.
 */

/**
 * `entry`: the module to run in place of the one that wrangler.toml names, with the same bindings.
 *
 * @typedef {{ port: number, state: string, assets?: string, entry?: string }} EdgeOptions
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
async function serve({ port, state, assets, entry }) {
  const chosen = await freePort(port)
  await mkdir(state, { recursive: true }).catch((error) => {
    throw new Error(`The state folder ${state} cannot be made: ${error.message}`)
  })
  await claim(state, chosen)
  const runtime = await startRuntime(chosen, { state, assets, entry })
  process.on("message", async () => {
    await runtime.dispose()
    process.exit(0)
  })
  process.send?.({ ready: `http://${HOST}:${chosen}` })
}

/**
 * @param {number} port
 * @param {{ state: string, assets: string | undefined, entry: string | undefined }} options
 */
async function startRuntime(port, { state, assets, entry }) {
  const wrangler = await import("wrangler")
  const { main, workerOptions } = wrangler.unstable_getMiniflareWorkerOptions(`${root}wrangler.toml`)
  const { modulesRules: _, ...bindings } = workerOptions // the bundle is one module
  if (main === undefined) throw new Error("wrangler.toml names no main file.")

  // Both are parts of wrangler, so they are asked for in its name: npm may put them anywhere.
  const ofWrangler = createRequire(import.meta.resolve("wrangler"))
  const { Miniflare, Log, LogLevel, convertV4MiniflareOptions } = ofWrangler("miniflare")
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      ...bindings,
      name: "headwater",
      modules: true,
      script: await bundle(ofWrangler("esbuild"), entry ?? main),
      host: HOST,
      port,
      cf: false,
      log: new Log(LogLevel.WARN),
      resourcePersistencePath: state,
      ...(assets === undefined
        ? {}
        : { assets: { directory: assets, routerConfig: { has_user_worker: true } } }),
    }),
  )
  await runtime.ready
  return runtime
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
