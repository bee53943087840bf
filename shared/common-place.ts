import { splitBatch } from "./batch.ts"
import { EMPTY_CHAIN, extendChain } from "./chain.ts"
import type { Page } from "./log-order.ts"
import { type IssuedOffset, type Offset, readIssuedOffset, START } from "./offset.ts"

/** A page as text. */
type PageText = Pick<Page, "from" | "next" | "text">

/**
 * Whether a log that holds this page has been at a place: its messages up to there have the place's position and chain.
 * The place is not before the page.
 */
export function passes(page: PageText, place: Offset): boolean {
  if (place === page.from || place === page.next) return true
  const [asked, next] = [readIssuedOffset(place), readIssuedOffset(page.next)]
  if (asked === undefined || next === undefined) return false
  const from = beginningOf(page.from, next)
  if (from === undefined || asked.position > next.position) return false
  if (asked.generation !== from.generation && asked.generation !== next.generation) return false
  const [before] = splitBatch(page.text, asked.position - from.position)
  return extendChain(from.chain, before) === asked.chain
}

/** The start has no generation of its own: it is that of what follows. */
function beginningOf(from: Offset, { generation }: IssuedOffset): IssuedOffset | undefined {
  return from === START ? { generation, position: 0, chain: EMPTY_CHAIN } : readIssuedOffset(from)
}
