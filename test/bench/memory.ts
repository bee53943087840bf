import { readdir, readFile } from "node:fs/promises"
import type { BrowserContext, CDPSession, Page } from "playwright-core"
import type { Sample } from "./figure.ts"

const MB = 1_000_000

/** What a page holds, in MB, once nothing is left to collect. */
export async function memoryOf(page: Page, context: BrowserContext): Promise<Sample> {
  const session = await context.newCDPSession(page)
  const threads = await threadsOf(session)
  if (threads.length !== 1) throw new Error(`The page has ${threads.length} threads; the client's is one.`)
  const heaps = [await heapOf((method) => session.send(method as "Runtime.getHeapUsage"))]
  for (const send of threads) heaps.push(await heapOf(send))
  const pss = await renderersPss()
  return {
    heaps: heaps.reduce((sum, bytes) => sum + bytes, 0) / MB,
    ...(pss === undefined ? {} : { pss: pss / MB }),
  }
}

/** What the page itself holds, in MB, its threads left out. */
export async function pageHeapOf(page: Page, context: BrowserContext): Promise<number> {
  const session = await context.newCDPSession(page)
  return (await heapOf((method) => session.send(method as "Runtime.getHeapUsage"))) / MB
}

type Send = (method: string) => Promise<unknown>

/** Collects what nobody holds, and tells what is left: what scripts have made, and the buffers behind it. */
async function heapOf(send: Send): Promise<number> {
  await send("HeapProfiler.collectGarbage")
  await send("HeapProfiler.collectGarbage") // what finalizers let go of in the first
  const usage = (await send("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number }
  return usage.usedSize + (usage.backingStorageSize ?? 0)
}

/** The workers of a page, each with the way to ask it. Their answers come as messages on the page's session. */
async function threadsOf(session: CDPSession): Promise<Send[]> {
  const threads: Send[] = []
  const waiting = new Map<number, { resolve(value: unknown): void; reject(reason: Error): void }>()
  let ids = 0
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { id, result, error } = JSON.parse(message)
    if (error === undefined) waiting.get(id)?.resolve(result)
    else waiting.get(id)?.reject(new Error(error.message))
    waiting.delete(id)
  })
  session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
    if (targetInfo.type !== "worker") return
    threads.push((method) => {
      const id = ++ids
      const answer = new Promise((resolve, reject) => waiting.set(id, { resolve, reject }))
      const message = JSON.stringify({ id, method })
      return session.send("Target.sendMessageToTarget", { sessionId, message }).then(() => answer)
    })
  })
  await session.send("Target.setAutoAttach", {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  })
  return threads
}

/** The proportional share of memory of all renderers that this process has started; undefined where none is told. */
async function renderersPss(): Promise<number | undefined> {
  const commands = await processes()
  if (commands === undefined) return undefined
  const ours = new Set([process.pid])
  for (const { pid, parent } of commands) if (ours.has(parent)) ours.add(pid) // parents come first
  let bytes = 0
  for (const { pid, command } of commands) {
    if (!ours.has(pid) || !command.includes("--type=renderer")) continue
    const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8")
    bytes += Number(/^Pss: +(\d+) kB/m.exec(rollup)?.[1]) * 1_024
  }
  return bytes
}

type Process = { readonly pid: number; readonly parent: number; readonly command: string }

/** All processes of the machine, older ones first; undefined where there is no /proc. */
async function processes(): Promise<Process[] | undefined> {
  const names = await readdir("/proc").catch(() => undefined) // other systems have none
  if (names === undefined) return undefined
  const pids = names.map(Number).filter(Number.isInteger)
  const found = await Promise.all(pids.map((pid) => processOf(pid)))
  return found.filter((one) => one !== undefined).sort((a, b) => a.pid - b.pid)
}

async function processOf(pid: number): Promise<Process | undefined> {
  try {
    const [status, command] = await Promise.all([
      readFile(`/proc/${pid}/status`, "utf8"),
      readFile(`/proc/${pid}/cmdline`, "utf8"),
    ])
    return { pid, parent: Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]), command }
  } catch {
    return undefined // it has ended meanwhile
  }
}
