import { assert } from "./assert.ts"
import { messageTexts } from "./batch.ts"
import { EMPTY_CHAIN, extendChain } from "./chain.ts"
import type { PageText } from "./log-order.ts"
import { type IssuedOffset, issueOffset, type Offset, type Place, readIssuedOffset, START } from "./offset.ts"

/*
 * The places inside a page. The edge names those at its ends; a place between two messages follows from the one before
 * and the message, since an offset is a count and a chain.
 *
 * The generation is the only part that does not follow: in a fork it changes at a place that a page does not show. It
 * is taken from the page's end, so offsets stay in order; position and chain alone tell whether a place is of a log.
 */

/** A message as stored, and the place right behind it. */
export type PlacedText = { readonly text: string; readonly offset: Offset }

/** The messages of a page in order, each with its place: worked out one at a time, in one pass. */
export function* placedTexts({ from, next, text }: PageText): Generator<PlacedText, void> {
  const { generation } = issued(next)
  let { position, chain } = placeOf(from)
  for (const message of messageTexts(text)) {
    position++
    chain = extendChain(chain, message)
    yield { text: message, offset: issueOffset({ generation, position, chain }) }
  }
}

/** What a page holds behind a place in it; undefined when it has no such place. */
export function pageBehind(page: PageText, offset: Offset): PageText | undefined {
  if (offset === page.from) return page
  const wanted = readIssuedOffset(offset)
  if (wanted === undefined) return undefined
  let { position, chain } = placeOf(page.from)
  const texts = messageTexts(page.text)
  let read = 0
  while (position < wanted.position) {
    const message = texts.next()
    if (message.done === true) return undefined
    read += message.value.length + 1 // the comma
    position++
    chain = extendChain(chain, message.value)
  }
  if (position !== wanted.position || chain !== wanted.chain) return undefined
  return { from: offset, next: page.next, text: page.text.slice(read) }
}

/** The place right behind one message of a page, by its index. */
export function offsetBehind(page: PageText, at: number): Offset {
  let index = 0
  for (const { offset } of placedTexts(page)) if (index++ === at) return offset
  throw new RangeError(`A page of ${index} messages has none at ${at}.`)
}

/** What a page holds up to a place in it; undefined when it has no such place. */
export function pageUpTo(page: PageText, offset: Offset): PageText | undefined {
  if (offset === page.next) return page
  const behind = pageBehind(page, offset)
  if (behind === undefined) return undefined
  const length = page.text.length - behind.text.length - 1 // the comma
  return { from: page.from, next: offset, text: page.text.slice(0, Math.max(0, length)) }
}

/** Whether a log that was read up to `head` may have a place there or behind: only its own can be told for sure. */
export function mayBeBeyond(head: Offset, offset: Offset): boolean {
  const wanted = offset === START ? placeOf(START) : readIssuedOffset(offset)
  if (wanted === undefined) return false
  const { position, chain } = placeOf(head)
  return wanted.position > position || (wanted.position === position && wanted.chain === chain)
}

function placeOf(offset: Offset): Place {
  return offset === START ? { position: 0, chain: EMPTY_CHAIN } : issued(offset)
}

function issued(offset: Offset): IssuedOffset {
  const place = readIssuedOffset(offset)
  assert(place !== undefined, `${offset} is an offset of our edge: it is of a page that was taken from one`)
  return place
}
