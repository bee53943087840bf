import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const inRepository = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const script = (name: string) => inRepository(`scripts/${name}`)

export type EdgeOptions = {
  /** Default: a free one, which stays the same over restarts. */
  readonly port?: number
  /** Default: a new folder, which `stop` deletes. */
  readonly state?: string
  /** Whether it serves the demo too, as `npm start` does. Default: no. */
  readonly demo?: boolean
  /** Variables of the worker. Default: none, so that access is open. */
  readonly vars?: Readonly<Record<string, string>>
  /** Another program that understands the arguments of `npm run edge` and answers like it. Default: that one. */
  readonly program?: string
  /** A module of the repository to run in place of worker/index.ts. Default: none. */
  readonly entry?: string
}

/** An edge in a process of its own, started as `npm run edge` starts it. */
export type TestEdge = {
  readonly url: string
  readonly state: string
  /** Ends it as an operator would, and deletes its state unless the caller chose the folder. */
  stop(): Promise<void>
  /** SIGKILL: nothing gets a chance to write another byte. Resolves when all of it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port and state, after `kill`; kills it first if it still runs. */
  restart(): Promise<void>
}

export async function startEdge(options: EdgeOptions = {}): Promise<TestEdge> {
  const state = options.state ?? (await mkdtemp(join(tmpdir(), "headwater-edge-")))
  const program = options.program ?? script(options.demo === true ? "start.mjs" : "edge.mjs")
  const vars = Object.entries(options.vars ?? {}).flatMap(([name, value]) => ["--var", `${name}=${value}`])
  const entry = options.entry === undefined ? [] : ["--entry", inRepository(options.entry)]
  const start = (at: number) => launch([program, "--port", String(at), "--state", state, ...vars, ...entry])
  let running = await start(options.port ?? 0)
  const { url } = running
  const port = Number(new URL(url).port)

  async function end(signal: NodeJS.Signals): Promise<void> {
    running.process.kill(signal)
    await running.exited
    await refused(url)
  }

  return {
    url,
    state,
    kill: () => end("SIGKILL"),
    async restart() {
      await end("SIGKILL")
      running = await start(port)
    },
    async stop() {
      await end("SIGTERM")
      if (options.state === undefined) await rm(state, { recursive: true, force: true })
    },
  }
}

type Running = { readonly url: string; readonly process: ChildProcess; readonly exited: Promise<unknown> }

async function launch(args: readonly string[]): Promise<Running> {
  const child = spawn(process.execPath, [...args], { stdio: ["ignore", "pipe", "pipe"] })
  const exited = new Promise((resolve) => child.once("exit", resolve))
  let errors = ""
  child.stderr.on("data", (chunk) => {
    errors += chunk
  })
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (chunk) => {
      const ready = /(http:\/\/[\w.]+:\d+)/.exec(String(chunk))
      if (ready?.[1] !== undefined) resolve(ready[1])
    })
    child.once("exit", (code) => reject(new Error(`The edge ended with ${code}. ${errors}`)))
  })
  return { url, process: child, exited }
}

/** Resolves when nobody listens at `url`. */
async function refused(url: string): Promise<void> {
  for (;;) {
    try {
      await fetch(`${url}/health`, { signal: AbortSignal.timeout(1000) })
    } catch (error) {
      if (error instanceof TypeError) return
    }
  }
}
