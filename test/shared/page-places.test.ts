import fc from "fast-check"
import { expect, test } from "vitest"
import { EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import { issueOffset, type Offset, readIssuedOffset, START } from "../../shared/offset.ts"
import { mayBeBeyond, pageBehind, placedTexts } from "../../shared/page-places.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

/** JSON with blanks, escapes and quotes in awkward places. */
const message = fc
  .tuple(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(0, 1), fc.constantFrom("", " ", "\n"))
  .map(([value, indent, blank]) => blank + JSON.stringify(value, null, indent) + blank)
const messages = fc.array(message, { minLength: 1, maxLength: 12 })

/** The offsets of a log's places as its edge gives them, the start first. */
function offsetsOf(log: readonly string[], generation = 7): Offset[] {
  let chain = EMPTY_CHAIN
  const behind = log.map((text, at) => {
    chain = extendChain(chain, text)
    return issueOffset({ generation, position: at + 1, chain })
  })
  return [START, ...behind]
}

const pageOf = (log: readonly string[], offsets: readonly Offset[], from: number, to: number) => ({
  from: offsets[from] ?? START,
  next: offsets[to] ?? START,
  text: log.slice(from, to).join(","),
})

test("[READ2] every message of a page has the place behind it that its edge would give", () => {
  fc.assert(
    fc.property(messages, fc.nat(12), (log, at) => {
      const offsets = offsetsOf(log)
      const from = at % log.length
      const placed = [...placedTexts(pageOf(log, offsets, from, log.length))]
      expect(placed.map(({ text }) => text)).toEqual(log.slice(from))
      expect(placed.map(({ offset }) => offset)).toEqual(offsets.slice(from + 1))
    }),
  )
})

test("[READ2] reading goes on behind any place inside a page", () => {
  fc.assert(
    fc.property(messages, fc.nat(12), fc.nat(12), (log, first, further) => {
      const offsets = offsetsOf(log)
      const from = first % log.length
      const at = from + (further % (log.length - from))
      const page = pageOf(log, offsets, from, log.length)
      expect(pageBehind(page, offsets[at] ?? START)).toEqual(pageOf(log, offsets, at, log.length))
    }),
  )
})

test("[READ3] a place of another log, before the page or behind it, is none in it", () => {
  fc.assert(
    fc.property(messages, message, fc.nat(12), (log, other, at) => {
      const offsets = offsetsOf(log)
      const changed = at % log.length
      const others = offsetsOf(log.with(changed, `[${other}]`))
      const page = pageOf(log, offsets, 0, log.length)
      for (const offset of others.slice(changed + 1)) expect(pageBehind(page, offset)).toBeUndefined()
      const later = pageOf(log, offsets, changed, log.length)
      for (const offset of offsets.slice(1, changed)) expect(pageBehind(later, offset)).toBeUndefined()
      const earlier = pageOf(log, offsets, 0, changed)
      for (const offset of offsets.slice(changed + 1)) {
        if (changed > 0) expect(pageBehind(earlier, offset)).toBeUndefined()
        expect(mayBeBeyond(offsets[changed] ?? START, offset)).toBe(true)
      }
    }),
  )
})

test("[READ3] what is no place of the log at its head may not come later either", () => {
  const offsets = offsetsOf(["1", "2", "3"])
  const head = offsets[2] ?? START
  const sameCount = issueOffset({ generation: 7, position: 2, chain: extendChain(EMPTY_CHAIN, "9") })
  expect(mayBeBeyond(head, head)).toBe(true)
  expect(mayBeBeyond(head, sameCount)).toBe(false)
  expect(mayBeBeyond(head, offsets[1] ?? START)).toBe(false)
  expect(mayBeBeyond(head, "elsewhere" as Offset)).toBe(false)
  expect(mayBeBeyond(START, START)).toBe(true)
  expect(mayBeBeyond(START, issueOffset({ generation: 7, position: 0, chain: EMPTY_CHAIN }))).toBe(true)
})

test("[READ2] offsets inside a page that spans a fork point stay in order", () => {
  const log = ["1", "2", "3", "4"]
  const [older, newer] = [offsetsOf(log, 7), offsetsOf(log, 8)]
  const page = { from: older[1] ?? START, next: newer[4] ?? START, text: "2,3,4" }
  const placed = [...placedTexts(page)].map(({ offset }) => offset)
  expect(placed.toSorted()).toEqual(placed)
  expect(placed.map((offset) => readIssuedOffset(offset)?.position)).toEqual([2, 3, 4])
  expect(pageBehind(page, older[2] ?? START)?.text).toBe("3,4")
})
