import { beforeEach, expect, test } from "vitest"
import type { Durability } from "../../client/disk/storage.ts"
import { Outgoing } from "../../client/page/outgoing.ts"
import type { NewEntry } from "../../client/port.ts"
import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { OutboxKey } from "../../shared/outbox.ts"

const stream = "s" as StreamPath

/** A disk and a clock that do what the test says. */
const seen = {
  writes: [] as { durability: Durability; texts: string[] }[],
  flushes: 0,
  timers: [] as { ms: number; run: () => void }[],
  fault: undefined as HeadwaterError | undefined,
}

function outgoing(): Outgoing {
  return new Outgoing({
    lasts: true,
    async write(_stream, entries: readonly NewEntry[], durability) {
      seen.writes.push({ durability, texts: entries.map(({ text }) => text) })
      return entries.map((_, at) => (at + 1) as OutboxKey)
    },
    async flush() {
      seen.flushes++
      if (seen.fault !== undefined) throw seen.fault
    },
    after(ms, run) {
      const timer = { ms, run }
      seen.timers.push(timer)
      return () => void seen.timers.splice(seen.timers.indexOf(timer), 1)
    },
    async show() {},
    async stored() {},
    async refused() {},
    secure: async () => [],
  })
}

function ring(): void {
  for (const timer of seen.timers.splice(0)) timer.run()
}

beforeEach(() => Object.assign(seen, { writes: [], flushes: 0, timers: [], fault: undefined }))

test("[LOG11] what asks to be flushed is written strict, and is local and flushed at once", async () => {
  const fate = outgoing().append(stream, "1", { durability: "flushed" })
  await fate.local
  await fate.flushed
  expect(seen).toMatchObject({ writes: [{ durability: "strict" }], flushes: 0, timers: [] })
})

test("[LOG11] what asks to be local is written relaxed, and one flush is for all of a while", async () => {
  const out = outgoing()
  const fates = [out.append(stream, "1", { durability: "local" })]
  await fates[0]!.local
  fates.push(out.append(stream, "2", { durability: "local" }))
  await fates[1]!.local
  expect(seen.writes.map(({ durability }) => durability)).toEqual(["relaxed", "relaxed"])
  expect(seen.timers.map(({ ms }) => ms)).toEqual([LIMITS.flushMsMax])
  ring()
  await Promise.all(fates.map(({ flushed }) => flushed))
  expect(seen.flushes).toBe(1)
})

test("[LOG11] what is appended in one task is written together: strict when one of them asks for it", async () => {
  const out = outgoing()
  const fates = [
    out.append(stream, "1", { durability: "local" }),
    out.append(stream, "2", { durability: "flushed" }),
  ]
  await Promise.all(fates.map(({ flushed }) => flushed))
  expect(seen.writes).toEqual([{ durability: "strict", texts: ["1,2"] }])
})

test("[LOG11] a flush that fails is told to those that wait for it, and to nobody else", async () => {
  const out = outgoing()
  const fate = out.append(stream, "1", { durability: "local" })
  await fate.local
  seen.fault = new HeadwaterError("storage-full", "No space.")
  ring()
  await expect(fate.flushed).rejects.toMatchObject({ code: "storage-full" })
  seen.fault = undefined
  const next = out.append(stream, "2", { durability: "local" })
  await next.local
  ring()
  await next.flushed
})

test("[CLOSE1] nothing is left to be flushed when a client closes", async () => {
  const out = outgoing()
  const fate = out.append(stream, "1", { durability: "local" })
  await fate.local
  await out.idle()
  expect(seen).toMatchObject({ flushes: 1, timers: [] })
  await fate.flushed
})
