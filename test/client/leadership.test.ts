import { expect, test } from "vitest"
import { DeviceLog } from "../../client/disk/log.ts"
import { MemoryStorage } from "../../client/disk/memory-storage.ts"
import { Deposed } from "../../client/disk/terms.ts"
import type { LockOptions } from "../../client/host.ts"
import { Candidate } from "../../client/thread/candidate.ts"
import type { ProducerId, StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import { firstPosition } from "../../shared/outbox.ts"

type Request = LockOptions & { readonly held: (lost: AbortSignal) => Promise<void> }

/** A tab that stands for leadership, a clock that goes when it is told, and the lock's side of it. */
function tab() {
  const seen = { beats: 0, turns: [] as AbortSignal[], failures: 0 }
  const requests: Request[] = []
  const timers = new Set<{ left: number; run: () => void }>()
  const ended = new AbortController()
  const host = {
    after(ms: number, run: () => void) {
      const timer = { left: ms, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    lock: (_name: string, options: LockOptions, held: Request["held"]) =>
      void requests.push({ ...options, held }),
  }
  const candidate = new Candidate(host, "lock", ended.signal, {
    async lead(over) {
      seen.turns.push(over)
      await new Promise((resolve) => over.addEventListener("abort", resolve))
    },
    failed: () => void seen.failures++,
    beat: () => void seen.beats++,
  })
  /** Lets so many of the tab's own turns of `beatMsInterval` pass. */
  const pass = (turns: number) => {
    for (let turn = 0; turn < turns; turn++) {
      for (const timer of [...timers]) timer.left -= LIMITS.beatMsInterval
      for (const timer of [...timers]) if (timer.left <= 0 && timers.delete(timer)) timer.run()
    }
  }
  /** Gives it the lock that it asked for last. Answers the way to take it away again. */
  const grant = () => {
    const lost = new AbortController()
    const over = requests.at(-1)?.held(lost.signal)
    return { lose: () => lost.abort(), over }
  }
  return { seen, requests, timers, candidate, ended, pass, grant }
}

test("[TAB5] a leader beats from the moment it holds the lock", () => {
  const { seen, pass, grant } = tab()
  expect(seen.beats).toBe(0)
  grant()
  expect(seen.beats).toBe(1)
  pass(3)
  expect(seen.beats).toBe(4)
})

test("[TAB5] who misses enough beats takes the lock; one that is heard in time keeps its leader", () => {
  const { requests, candidate, pass } = tab()
  expect(requests.map(({ steal }) => steal)).toEqual([false])
  pass(LIMITS.beatsMissedMax - 1)
  candidate.heard()
  pass(LIMITS.beatsMissedMax - 1)
  expect(requests).toHaveLength(1)
  pass(1)
  expect(requests.map(({ steal }) => steal)).toEqual([false, true])
  expect(requests[0]?.signal.aborted).toBe(true) // it waits in one place only
})

test("[TAB5] who loses the lock stops in that moment, and stands again behind the others", async () => {
  const { seen, requests, pass, grant } = tab()
  const { lose, over } = grant()
  expect(seen.turns.map(({ aborted }) => aborted)).toEqual([false])
  lose()
  expect(seen.turns.map(({ aborted }) => aborted)).toEqual([true])
  await over
  expect(requests).toHaveLength(1)
  pass(1)
  expect(requests.map(({ steal }) => steal)).toEqual([false, false])
  expect(seen.failures).toBe(0)
})

test("[TAB5] a tab that has closed neither waits, leads nor beats", async () => {
  const { seen, requests, timers, ended, grant } = tab()
  const { over } = grant()
  ended.abort()
  await over
  expect(seen.turns.map(({ aborted }) => aborted)).toEqual([true])
  expect(requests.map(({ signal }) => signal.aborted)).toEqual([true])
  expect(timers.size).toBe(0)
})

test("[TAB6] the disk takes nothing from a leader whose term is over, and all from the one that leads", async () => {
  const log = new DeviceLog(new MemoryStorage())
  const stream = "a/b" as StreamPath
  const record = { stream, head: START, ...firstPosition("device" as ProducerId) }
  const change = { page: undefined, confirmed: [], rejected: [], record }
  const first = await log.claim()
  await log.save(first, "relaxed", change)
  const second = await log.claim()
  await expect(log.save(first, "strict", { ...change, record: { ...record, nextSeq: 7 } })).rejects.toThrow(
    Deposed,
  )
  const stored = async () => (await log.open(stream, 0 as never, "device" as ProducerId)).record.nextSeq
  expect(await stored()).toBe(0)
  await log.save(second, "strict", { ...change, record: { ...record, nextSeq: 8 } })
  await log.save(second, "strict", { ...change, record: { ...record, nextSeq: 9 } })
  expect(await stored()).toBe(9)
})
