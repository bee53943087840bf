import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  FIRST_POSITION,
  freeze,
  type OutboxEntry,
  type OutboxKey,
  renumber,
  settle,
} from "../../shared/outbox.ts"

function entry(key: number, count = 1, bytes = 10): OutboxEntry {
  return { key: key as OutboxKey, text: `"${key}"`, count, bytes }
}

const BOUNDS = { eventsMax: 10, bytesMax: 100 }

describe("outbox", () => {
  test("[OUT1] a batch in flight keeps its number and its entries, whatever is appended", () => {
    const frozen = freeze(FIRST_POSITION, [entry(1), entry(2)], BOUNDS)
    expect(frozen.inFlight).toEqual({ epoch: 0, seq: 0, keys: [1, 2] })
    expect(freeze(frozen, [entry(3)], BOUNDS)).toBe(frozen)
  })

  test("[OUT1] with nothing waiting no number is given away", () => {
    expect(freeze(FIRST_POSITION, [], BOUNDS)).toBe(FIRST_POSITION)
  })

  test("[OUT2] the next batch has the next number", () => {
    const second = freeze(settle(freeze(FIRST_POSITION, [entry(1)], BOUNDS)), [entry(2)], BOUNDS)
    expect(second.inFlight).toEqual({ epoch: 0, seq: 1, keys: [2] })
  })

  test("[OUT3] a batch holds whole entries in order, as many as fit, and at least one", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ count: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 1, max: 150 }) }),
          { minLength: 1 },
        ),
        (sizes) => {
          const waiting = sizes.map(({ count, bytes }, i) => entry(i + 1, count, bytes))
          const keys = freeze(FIRST_POSITION, waiting, BOUNDS).inFlight?.keys ?? []
          expect(keys).toEqual(waiting.slice(0, keys.length).map(({ key }) => key))
          expect(keys.length).toBeGreaterThan(0)
          const size = (n: number) => {
            const taken = waiting.slice(0, n)
            return {
              events: taken.reduce((sum, { count }) => sum + count, 0),
              bytes: taken.reduce((sum, { bytes }) => sum + bytes + 1, 0),
            }
          }
          const fits = (n: number) => size(n).events <= BOUNDS.eventsMax && size(n).bytes <= BOUNDS.bytesMax
          expect(keys.length === 1 || fits(keys.length)).toBe(true)
          if (keys.length < waiting.length) expect(fits(keys.length + 1)).toBe(false)
        },
      ),
    )
  })

  test("[OUT4] a number that is taken is given up with its epoch: the same entries begin a new one", () => {
    const position = freeze({ epoch: 3, nextSeq: 7, inFlight: null }, [entry(1), entry(2)], BOUNDS)
    const moved = renumber(position, 3)
    expect(moved.inFlight).toEqual({ epoch: 4, seq: 0, keys: [1, 2] })
    expect(freeze(settle(moved), [entry(3)], BOUNDS).inFlight).toEqual({ epoch: 4, seq: 1, keys: [3] })
  })

  test("[OUT4] the new epoch is behind that of whoever fenced this device off", () => {
    expect(renumber(freeze(FIRST_POSITION, [entry(1)], BOUNDS), 9).inFlight?.epoch).toBe(10)
  })
})
