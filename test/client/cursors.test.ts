import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { CursorKeeper } from "../../client/page/cursor-keeper.ts"
import { type LogEvent, readLog } from "../../client/page/reading.ts"
import type { Offset } from "../../shared/offset.ts"
import { logOnDisk, STREAM } from "./log-on-disk.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

const texts = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => JSON.stringify({ id: String(from + n), type: "t" }))

async function grownTo(sizes: readonly number[]) {
  const log = logOnDisk()
  for (const size of sizes) await log.grow(texts(log.offsets.length - 1, size))
  return log
}

const cursor = "mailer"
const numberOf = ({ value }: IteratorResult<LogEvent>) => Number((value as LogEvent | undefined)?.event?.id)

describe("a cursor", () => {
  test("[READ6] goes on behind what was done with, over restarts of every kind", async () => {
    const life = fc.record({ taken: fc.nat(6), grown: fc.nat(4), ends: fc.constantFrom("leaves", "crashes") })
    await fc.assert(
      fc.asyncProperty(fc.array(life, { maxLength: 8 }), async (lives) => {
        const log = await grownTo([5])
        let done = 0 // messages that are done with for certain: the one behind was asked for
        for (const { taken, grown, ends } of lives) {
          const { link, crash } = log.openTab()
          const events = readLog(link, STREAM, { cursor })
          const seen: number[] = []
          for (let n = 0; n < taken; n++) {
            const result = await events.next()
            if (result.done === true) break
            seen.push(numberOf(result))
          }
          if (seen.length > 0) expect(seen[0]).toBe(done)
          expect(seen).toEqual(seen.map((_, n) => done + n))
          const isAtEnd = seen.length < taken
          if (seen.length > 0) done += isAtEnd ? seen.length : seen.length - 1
          if (ends === "leaves") await events.return?.()
          else {
            await new Promise(setImmediate) // what is on its way to the disk has come there
            crash()
          }
          await log.grow(texts(log.offsets.length - 1, grown))
        }
      }),
    )
  })

  test("[READ6] begins at `from` until it has a place, and keeps it apart from other names", async () => {
    const log = await grownTo([4])
    const { link } = log.openTab()
    const from = log.offsets[2] as Offset
    const first = readLog(link, STREAM, { cursor, from })
    expect([numberOf(await first.next()), numberOf(await first.next())]).toEqual([2, 3])
    await first.return?.()
    expect(numberOf(await readLog(link, STREAM, { cursor: "other" }).next())).toBe(0)
    expect(numberOf(await readLog(link, STREAM, { cursor }).next())).toBe(3)
  })

  test("[READ7] is had by one consumer at a time, in all tabs: the next goes on where that one ended", async () => {
    const log = await grownTo([6])
    const first = readLog(log.openTab().link, STREAM, { cursor })
    const { link, crash } = log.openTab()
    const second = readLog(link, STREAM, { cursor })
    const third = readLog(log.openTab().link, STREAM, { cursor })
    const given: number[] = []
    for (let n = 0; n < 3; n++) given.push(numberOf(await first.next()))
    const waiting = second.next().then((result) => given.push(numberOf(result)))
    const last = third.next().then((result) => given.push(numberOf(result)))
    await new Promise(setImmediate) // whoever does not wait would be answered by then
    expect(given).toEqual([0, 1, 2])
    await first.return?.()
    await waiting
    expect(given).toEqual([0, 1, 2, 2])
    crash()
    await last
    expect(given).toEqual([0, 1, 2, 2, 2])
  })

  test("[READ7] one that waits for its turn ends when it is left", async () => {
    const log = await grownTo([2])
    const { link } = log.openTab()
    const first = readLog(link, STREAM, { cursor })
    await first.next()
    const second = readLog(link, STREAM, { cursor })
    const waiting = second.next()
    await second.return?.()
    expect((await waiting).done).toBe(true)
    await first.return?.()
    expect(numberOf(await readLog(link, STREAM, { cursor }).next())).toBe(0)
  })

  test("[READ8] writes one place at a time, the latest, and the last before it ends", async () => {
    const written: string[] = []
    const answers: (() => void)[] = []
    const keeper = new CursorKeeper((offset) => {
      written.push(offset)
      return new Promise((resolve) => answers.push(resolve))
    })
    for (const offset of ["1", "2", "3"]) keeper.reached(offset as Offset)
    expect(written).toEqual(["1"])
    answers[0]?.()
    await new Promise(setImmediate)
    expect(written).toEqual(["1", "3"])
    keeper.reached("4" as Offset)
    let isFlushed = false
    const flushed = keeper.flush().then(() => {
      isFlushed = true
    })
    answers[1]?.()
    await new Promise(setImmediate)
    expect([written, isFlushed]).toEqual([["1", "3", "4"], false])
    answers[2]?.()
    await flushed
  })

  test("[READ8] tells its consumer when the disk does not keep its place", async () => {
    const keeper = new CursorKeeper(() => Promise.reject(new Error("full")))
    keeper.reached("1" as Offset)
    await expect(keeper.flush()).rejects.toThrow("full")
    expect(() => keeper.reached("2" as Offset)).toThrow("full")
  })
})
