import fc from "fast-check"
import { expect, test } from "vitest"
import { type Chain, EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import { passes } from "../../shared/common-place.ts"
import { issueOffset, type Offset, START } from "../../shared/offset.ts"

/** The offsets of a log of these messages, from before the first to behind the last. */
function placesOf(messages: readonly string[], generation = 7): Offset[] {
  const places = [issueOffset({ generation, position: 0, chain: EMPTY_CHAIN })]
  let chain: Chain = EMPTY_CHAIN
  for (const [at, text] of messages.entries()) {
    chain = extendChain(chain, text)
    places.push(issueOffset({ generation, position: at + 1, chain }))
  }
  return places
}

const LOG = ['{"n":1}', '{"n":2,"of":[1,2]}', '"three"', "4"]
const places = placesOf(LOG)
const page = (from: number, next: number) => ({
  from: from === 0 ? START : places[from]!,
  next: places[next]!,
  text: LOG.slice(from, next).join(","),
})

test("[CONFLICT6] a log has passed each of its places, wherever its pages begin and end", () => {
  fc.assert(
    fc.property(fc.nat(4), fc.nat(4), fc.nat(4), (...three) => {
      const [from, at, next] = three.sort() as [number, number, number]
      fc.pre(from < next)
      expect(passes(page(from, next), places[at]!)).toBe(true)
    }),
  )
})

test("[CONFLICT6] it has not passed a place of the same position behind other messages", () => {
  const other = placesOf(['{"n":1}', '"another"', '"three"', "4"])
  expect(passes(page(0, 4), other[1]!)).toBe(true)
  for (const at of [2, 3, 4]) expect(passes(page(0, 4), other[at]!)).toBe(false)
})

test("[CONFLICT6] nor one of another stream of its name, also where that is empty", () => {
  const another = placesOf(LOG, 8)
  for (const place of another) expect(passes(page(0, 4), place)).toBe(false)
})

test("[CONFLICT6] nor one behind it, or of another make", () => {
  expect(passes(page(0, 2), places[3]!)).toBe(false)
  expect(passes(page(0, 2), "0003" as Offset)).toBe(false)
})
