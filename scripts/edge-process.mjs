import { spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { node } from "./install.mjs"

/*
 * The runtime of the edge is a process that outlives whoever started it, and keeps its port. So it runs in a process
 * group of its own, below a host that kills the group as soon as this process is gone, however it went. This process
 * does the same when the host goes first, and leaves when npm does.
 */

const HOST = fileURLToPath(new URL("./edge-host.mjs", import.meta.url))
const STOP_MS_MAX = 5_000
const PARENT_CHECK_MS = 500

const OPEN = "Access is open: whatever runs on this machine may read and write every stream. Keys close it."

/**
 * Runs the edge until it is told to stop, then ends this process.
 *
 * @param {import("./edge-host.mjs").EdgeOptions} options
 * @param {(url: string) => void} ready called once, when requests are accepted
 */
export function runEdge(options, ready) {
  const host = spawn(node, [HOST, JSON.stringify(options)], {
    stdio: ["ignore", 2, 2, "ipc"],
    detached: true,
    env: { ...process.env, ...QUIET },
  })
  let stopping = false

  host.on("message", (message) => {
    if (typeof message !== "object" || !("ready" in message)) return
    if ("isOpen" in message && message.isOpen === true) process.stderr.write(`${OPEN}\n`)
    ready(String(message.ready))
  })
  host.on("error", (error) => fail(error.message))
  host.on("exit", (code) => {
    killGroup(host.pid)
    process.exit(stopping ? 0 : (code ?? 1) || 1)
  })

  function stop() {
    if (stopping) return
    stopping = true
    if (host.connected) host.send("stop")
    setTimeout(() => killGroup(host.pid), STOP_MS_MAX).unref()
  }
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(signal, stop)
  stopWithNpm(stop)
}

/**
 * Says one sentence and ends this process.
 *
 * @param {unknown} reason
 * @param {number} [code] 1 when it failed, 2 when it was asked for something impossible
 * @returns {never}
 */
export function fail(reason, code = 1) {
  process.stderr.write(`${reason instanceof Error ? reason.message : String(reason)}\n`)
  process.exit(code)
}

/**
 * Does it, or says what was wrong and ends this process.
 *
 * @template T
 * @param {() => T} action
 * @param {number} [code]
 * @returns {T}
 */
export function attempt(action, code) {
  try {
    return action()
  } catch (error) {
    return fail(error, code)
  }
}

/** Keeps the runtime from looking anything up on the network, and from tracing each message of ours into a database. */
export const QUIET = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  X_LOCAL_OBSERVABILITY: "false",
}

/** @param {number | undefined} pid */
function killGroup(pid) {
  if (pid === undefined || process.platform === "win32") return
  try {
    process.kill(-pid, "SIGKILL")
  } catch {
    // Nobody is left in the group, which is what was wanted.
  }
}

/**
 * npm cannot pass on a SIGKILL, but this process sees that it descends from somebody else. Between the two is a shell,
 * which stays when npm goes.
 *
 * @param {() => void} stop
 */
function stopWithNpm(stop) {
  if (process.env.npm_lifecycle_event === undefined) return
  const born = ancestry()
  setInterval(() => ancestry() !== born && stop(), PARENT_CHECK_MS).unref()
}

/** The parent, and its parent where the system tells. */
function ancestry() {
  try {
    const status = readFileSync(`/proc/${process.ppid}/status`, "utf8")
    return `${process.ppid} ${/^PPid:\s*(\d+)/m.exec(status)?.[1]}`
  } catch {
    return `${process.ppid}` // no /proc, or the parent left between two lines
  }
}
