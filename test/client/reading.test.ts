import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type LogEvent, type ReadOptions, readLog } from "../../client/page/reading.ts"
import { type Chain, EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import type { HeadwaterError } from "../../shared/errors.ts"
import { issueOffset, type Offset, START } from "../../shared/offset.ts"
import { logOnDisk, STREAM } from "./log-on-disk.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

/** How many messages each page of a log has. */
const pageSizes = fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 12 })

const texts = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ id: String(from + n), type: "t", data: ",}" }))

async function grownTo(sizes: readonly number[]) {
  const log = logOnDisk()
  for (const size of sizes) await log.grow(texts(log.offsets.length - 1, size))
  return log
}

async function collected(
  events: AsyncIterable<LogEvent>,
  most = Number.POSITIVE_INFINITY,
): Promise<LogEvent[]> {
  const all: LogEvent[] = []
  if (most === 0) return all
  for await (const event of events) if (all.push(event) >= most) break
  return all
}

const ids = (events: readonly LogEvent[]) => events.map(({ event }) => Number(event?.id))
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "none",
    (error: HeadwaterError) => error.code,
  )
}

describe("reading a log", () => {
  test("[READ1] gives every message behind any place once, in order, each with its own place", async () => {
    await fc.assert(
      fc.asyncProperty(pageSizes, fc.nat(99), async (sizes, at) => {
        const { offsets, openTab } = await grownTo(sizes)
        const from = at % offsets.length
        const read = await collected(readLog(openTab().link, STREAM, { from: offsets[from] ?? START }))
        expect(ids(read)).toEqual(numbers(from, offsets.length - 1))
        expect(read.map(({ offset }) => offset)).toEqual(offsets.slice(from + 1))
      }),
    )
  })

  test("[READ1] gives what is no event of ours as the message that it is", async () => {
    const log = logOnDisk()
    await log.grow(["7", `"a,b"`, `{"id":"x","type":"t","data":null}`, "[1, 2]"])
    const read = await collected(readLog(log.openTab().link, STREAM, {}))
    expect(read.map(({ message }) => message)).toEqual([7, "a,b", { id: "x", type: "t", data: null }, [1, 2]])
    expect(read.map(({ event }) => event?.id)).toEqual([undefined, undefined, "x", undefined])
  })

  test("[READ3] from beyond this device's log it ends at once, or waits when it is live", async () => {
    const log = await grownTo([3, 2])
    const chain = texts(0, 9).reduce<Chain>(extendChain, EMPTY_CHAIN)
    const from = issueOffset({ generation: 7, position: 9, chain })
    const { link } = log.openTab()
    expect(await collected(readLog(link, STREAM, { from }))).toEqual([])
    const live = collected(readLog(link, STREAM, { from, live: true }), 2)
    for (const size of [1, 2, 3]) await log.grow(texts(log.offsets.length - 1, size))
    expect(ids(await live)).toEqual([9, 10])
  })

  test("[READ3] a place that the log does not have is refused, at once or when the log has passed it", async () => {
    const log = await grownTo([3, 2])
    const { link } = log.openTab()
    const foreign = (position: number) =>
      issueOffset({ generation: 7, position, chain: extendChain(EMPTY_CHAIN, String(position)) })
    for (const from of [foreign(1), foreign(3), foreign(5), "elsewhere" as Offset, "now" as Offset]) {
      expect(await codeOf(collected(readLog(link, STREAM, { from })))).toBe("invalid-offset")
    }
    const late = codeOf(collected(readLog(link, STREAM, { from: foreign(6), live: true })))
    await log.grow(texts(5, 3))
    expect(await late).toBe("invalid-offset")
    const read = (options: unknown) => readLog(link, STREAM, options as ReadOptions)
    for (const from of ["a b", 7]) expect(() => read({ from })).toThrow(/read expects from to be an offset/)
    for (const cursor of ["", "x".repeat(257), 7])
      expect(() => read({ cursor })).toThrow(/cursor to be a name/)
  })

  test("[READ4] live it loses and repeats nothing, however the log grows and the consumer rests", async () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant("read" as const))
    await fc.assert(
      fc.asyncProperty(pageSizes, fc.array(step, { maxLength: 30 }), async (sizes, steps) => {
        const log = await grownTo(sizes)
        const events = readLog(log.openTab().link, STREAM, { live: true })
        const asked: Promise<IteratorResult<LogEvent>>[] = []
        for (const one of steps) {
          if (one === "read") asked.push(events.next())
          else await log.grow(texts(log.offsets.length - 1, one))
        }
        const missing = asked.length - (log.offsets.length - 1)
        if (missing > 0) await log.grow(texts(log.offsets.length - 1, missing))
        const read = (await Promise.all(asked)).map(({ value }) => value as LogEvent)
        expect(ids(read)).toEqual(numbers(0, asked.length))
        await events.return?.()
      }),
    )
  })

  test("[READ1] waits for what this tab has read and its disk has not, unless the disk does not take it", async () => {
    const log = await grownTo([2])
    const { link, readers } = log.openTab()
    const chain = texts(0, 4).reduce<Chain>(extendChain, EMPTY_CHAIN)
    log.memory.head = issueOffset({ generation: 7, position: 4, chain })
    const reading = collected(readLog(link, STREAM, {}))
    await log.grow(texts(2, 1))
    await log.grow(texts(3, 1))
    await log.grow(texts(4, 1))
    expect(ids(await reading).slice(0, 4)).toEqual([0, 1, 2, 3])
    log.memory.head = issueOffset({ generation: 7, position: 9, chain })
    const failing = collected(readLog(link, STREAM, {}))
    await new Promise(setImmediate) // it waits by then
    readers.grown(STREAM)
    expect(ids(await failing)).toEqual([0, 1, 2, 3, 4])
  })

  test("[READ4] one that waits ends when it is left", async () => {
    const log = await grownTo([2])
    const events = readLog(log.openTab().link, STREAM, { live: true })
    await events.next()
    await events.next()
    const waiting = events.next()
    await events.return?.()
    expect(await waiting).toEqual({ done: true, value: undefined })
    expect(await events.next()).toEqual({ done: true, value: undefined })
  })

  test("[READ4] one that waits when the client closes ends with closed", async () => {
    const log = await grownTo([1])
    const { link, readers } = log.openTab()
    const reading = codeOf(collected(readLog(link, STREAM, { live: true })))
    readers.end()
    expect(await reading).toBe("closed")
  })

  test("[READ5] a consumer that rests has one page read ahead for it, and no more", async () => {
    const log = logOnDisk()
    const large = JSON.stringify("x".repeat(1024 * 1024))
    for (let page = 0; page < 40; page++) await log.grow([large])
    const events = readLog(log.openTab().link, STREAM, {})
    await events.next()
    await new Promise(setImmediate) // whatever is read by itself is asked for by then
    expect(log.reads.pages).toBe(2)
    expect(await collected(events)).toHaveLength(39)
    expect(log.reads.pages).toBeGreaterThan(10)
  })
})
