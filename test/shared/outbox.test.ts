import fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { ProducerId } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import { START } from "../../shared/offset.ts"
import {
  beginEpoch,
  firstPosition,
  freeze,
  giveUp,
  halve,
  type OutboxEntry,
  type OutboxKey,
  renumber,
  settle,
} from "../../shared/outbox.ts"

function entry(key: number, count = 1, bytes = 10): OutboxEntry {
  return { key: key as OutboxKey, text: `"${key}"`, count, bytes }
}

const [device, fresh] = ["device", "fresh"] as [ProducerId, ProducerId]
const FIRST_POSITION = firstPosition(device)
const BOUNDS = { eventsMax: 10, bytesMax: 100, entriesMax: 1_000 }

describe("outbox", () => {
  test("[OUT1] a batch in flight keeps its number and its entries, whatever is appended", () => {
    const frozen = freeze(FIRST_POSITION, [entry(1), entry(2)], BOUNDS)
    expect(frozen.inFlight).toEqual({ producer: device, epoch: 0, seq: 0, keys: [1, 2] })
    expect(freeze(frozen, [entry(3)], BOUNDS)).toBe(frozen)
  })

  test("[OUT1] with nothing waiting no number is given away", () => {
    expect(freeze(FIRST_POSITION, [], BOUNDS)).toBe(FIRST_POSITION)
  })

  test("[OUT2] the next batch has the next number", () => {
    const second = freeze(settle(freeze(FIRST_POSITION, [entry(1)], BOUNDS)), [entry(2)], BOUNDS)
    expect(second.inFlight).toEqual({ producer: device, epoch: 0, seq: 1, keys: [2] })
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

  test("[OUT4] a number that is taken is given up with its producer: the same entries go under a fresh one", () => {
    const position = freeze({ ...FIRST_POSITION, epoch: 3, nextSeq: 7 }, [entry(1), entry(2)], BOUNDS)
    const moved = renumber(position, fresh)
    expect(moved.inFlight).toEqual({ producer: fresh, epoch: 0, seq: 0, keys: [1, 2] })
    expect(freeze(settle(moved), [entry(3)], BOUNDS).inFlight).toMatchObject({ producer: fresh, seq: 1 })
  })

  test("[OUT6] an entry that expects a tail travels alone, before and behind others", () => {
    const alone = { ...entry(2), expected: START }
    const waiting = [entry(1), alone, entry(3)]
    const keysFrom = (at: number) => freeze(FIRST_POSITION, waiting.slice(at), BOUNDS).inFlight?.keys
    expect([keysFrom(0), keysFrom(1), keysFrom(2)]).toEqual([[1], [2], [3]])
  })

  test("[CONFLICT2] of a batch that is refused, half goes again, as a batch that has never been sent", () => {
    const position = freeze(FIRST_POSITION, [entry(1), entry(2), entry(3)], BOUNDS)
    const halved = halve(position, 0, fresh)
    expect(halved).toEqual({
      ...FIRST_POSITION,
      epoch: 1,
      nextSeq: 1,
      inFlight: { producer: device, epoch: 1, seq: 0, keys: [1, 2] },
    })
  })

  test("[CONFLICT2] any one entry that is refused is found, and all others go through", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.nat(39),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        (count, at, chance) => {
          const bad = (at % count) + 1
          let waiting = Array.from({ length: count }, (_, i) => entry(i + 1))
          let position = FIRST_POSITION
          const [taken, refused, numbers] = [[] as number[], [] as number[], new Map<string, string>()]
          for (let step = 0; waiting.length > 0 && step < 500; step++) {
            position = freeze(position, waiting, { ...BOUNDS, eventsMax: 1_000, bytesMax: 10_000 })
            const { producer, epoch, seq, keys } = position.inFlight!
            const number = `${producer} ${epoch} ${seq}`
            expect(numbers.get(number) ?? String(keys)).toBe(String(keys))
            numbers.set(number, String(keys))
            const next = `fresh-${step}` as ProducerId
            if (!keys.includes(bad as OutboxKey)) {
              taken.push(...keys)
              waiting = waiting.filter(({ key }) => !keys.includes(key))
              position = settle(position)
            } else if (keys.length > 1) position = halve(position, chance, next)
            else {
              refused.push(...keys)
              waiting = waiting.filter(({ key }) => !keys.includes(key))
              position = giveUp(position, chance, next)
            }
          }
          expect(refused).toEqual([bad])
          expect(taken).toHaveLength(count - 1)
        },
      ),
    )
  })

  test("[OUT5] a new epoch is later than all before it, and within what the edge lets it jump", () => {
    const after = { ...FIRST_POSITION, epoch: 40, knownEpoch: 30, nextSeq: 5 }
    expect(beginEpoch(after, 0, fresh)).toEqual({ ...after, epoch: 41, nextSeq: 0 })
    expect(beginEpoch(after, 0.999_999, fresh).epoch).toBe(30 + LIMITS.epochJumpMax)
  })

  test("[OUT5] the last epoch that was taken is the measure of the next one", () => {
    const begun = beginEpoch(FIRST_POSITION, 0.5, fresh)
    expect(settle(freeze(begun, [entry(1)], BOUNDS)).knownEpoch).toBe(begun.epoch)
  })

  test("[OUT5] where none of the epochs that are left was ever taken, a fresh producer goes on", () => {
    const spent = { ...FIRST_POSITION, epoch: LIMITS.epochJumpMax, nextSeq: 1 }
    expect(beginEpoch(spent, 0.5, fresh)).toEqual(firstPosition(fresh))
  })

  test("[OUT5] devices that continue from copies of one disk rarely give the same number", () => {
    fc.assert(
      fc.property(fc.nat(LIMITS.epochJumpMax - 1), fc.nat(LIMITS.epochJumpMax - 1), (one, other) => {
        const epochs = [one, other].map(
          (step) => beginEpoch(FIRST_POSITION, step / LIMITS.epochJumpMax, fresh).epoch,
        )
        expect(epochs[0] === epochs[1]).toBe(one === other)
      }),
    )
  })
})
