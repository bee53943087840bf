import { expect, test, vi } from "vitest"
import type { DeviceLog } from "../../client/disk/log.ts"
import type { Term } from "../../client/disk/terms.ts"
import type { Notice } from "../../client/port.ts"
import type { Replica } from "../../client/replica/replica.ts"
import { type ClientStatus, withTotals } from "../../client/status.ts"
import { LogWriter } from "../../client/sync/log-writer.ts"
import { PageLink } from "../../client/thread/page-link.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Page } from "../../shared/log-order.ts"
import { EMPTY, stage, streamOf, world } from "./one-stream.ts"

/** A disk that writes when the test lets it. */
function slowDisk() {
  const writes: { resolve(): void; reject(reason: unknown): void }[] = []
  const save = () => new Promise<void>((resolve, reject) => void writes.push({ resolve, reject }))
  const replica = { stream: "a/b", record: {} } as unknown as Replica // what a record is does not matter here
  return { writes, writer: new LogWriter({ save } as unknown as DeviceLog, {} as Term, replica, () => {}) }
}

/** A page of a megabyte as a socket tells it: the offset after `at` is the next number. */
function frameOf(at: number, filler: string): string {
  const [from, next] = [at, at + 1].map((n) => (n === 0 ? "-1" : String(n).padStart(4, "0")))
  return `${JSON.stringify({ t: "data", from, next, upToDate: true })}\n"${filler}"`
}

test("[FLOW1] what comes faster than the disk takes it is read at the disk's pace", async () => {
  const { writes, writer } = slowDisk()
  const { seen, sync, live } = world({ writer })
  sync.input({ kind: "started" })
  await live()
  const filler = "x".repeat(1024 * 1024)
  let told = 0
  while (sync.state.kind === "live") seen.sockets.at(-1)?.frame(frameOf(told++, filler))
  expect(told).toBeLessThanOrEqual(LIMITS.unwrittenLengthMax / filler.length + 1)
  expect(sync.state.kind).toBe("catching-up")
  const { requests } = seen
  await vi.waitFor(() => expect(writes.length).toBeGreaterThan(0))
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  expect([seen.requests, writer.isFull]).toEqual([requests, true]) // nothing is asked for meanwhile

  const written = vi.waitFor(() => expect(seen.requests).toBe(requests + 1))
  const writing = setInterval(() => writes.shift()?.resolve())
  await written
  clearInterval(writing)
  expect(writer.isFull).toBe(false)
})

test("[FLOW1] a disk that takes nothing ends the reading, and what waits does not grow with each try", async () => {
  const { writes, writer } = slowDisk()
  const staged = stage({ answer: () => new Response("[]", { headers: EMPTY }) })
  const { sync } = streamOf(staged, "a/b", { writer })
  const text = "x".repeat(LIMITS.unwrittenLengthMax + 1)
  writer.took({ from: "-1", next: "0001", text, messages: [] } as unknown as Page, [])
  const failing = setInterval(() => writes.shift()?.reject(new Error("disk full")))
  sync.input({ kind: "started" })
  for (let tries = 0; tries < 3; tries++) {
    await vi.waitFor(() => expect(sync.state.kind).toBe("waiting"))
    expect(sync.lastError).toEqual({ code: "storage-unavailable", message: "disk full" })
    staged.pass(LIMITS.retryMsMax)
  }
  clearInterval(failing)
  expect(staged.seen.requests).toBe(0)
})

test("[FLOW2] a page that is busy with a status is told the newest when it is done, and all that is no status", () => {
  const told: Notice[] = []
  const link = new PageLink((notice) => void told.push(notice))
  const status = (paused: boolean, role: ClientStatus["role"] = "leader"): Notice => ({
    kind: "status",
    status: withTotals({ role, paused, streams: {}, halts: [], views: [] }),
    shows: 0,
  })
  link.notify(status(false))
  link.notify(status(true))
  link.notify(status(false, "follower"))
  void link.askForToken()
  expect(told).toEqual([status(false), { kind: "token-wanted", ask: 1 }])
  link.next()
  expect(told.at(-1)).toEqual(status(false, "follower"))
  link.next()
  expect(told).toHaveLength(3)
  link.notify(status(true))
  expect(told.at(-1)).toEqual(status(true))
})
