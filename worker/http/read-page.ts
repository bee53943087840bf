import { assert } from "../../shared/assert.ts"
import { isJsonType } from "../../shared/http.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Env } from "../env.ts"
import { joinBytes } from "../stream/log-pages.ts"
import type { Page, ReadFault } from "../stream/stream-core.ts"

export type Streams = Env["STREAMS"]

/** A page that one object holds, and whether another object holds what follows it. */
export type Piece = { readonly kind: "piece"; readonly page: Page; readonly goesOn: boolean }

/**
 * One page of a stream from an offset on, whoever holds it: what a fork inherits is asked of the streams that it
 * descends from, as far as a page reaches. A page of several pieces ends before the piece that would make it too large.
 */
export async function readPage(streams: Streams, path: string, offset: string): Promise<Page | ReadFault> {
  const pages: Page[] = []
  let room: number = LIMITS.readBytesMax
  for (let at = offset; ; ) {
    const piece = await readPiece(streams, path, at, room)
    if (piece.kind !== "piece") return pages.length === 0 ? piece : joined(pages)
    const { page, goesOn } = piece
    if (pages.length > 0 && page.body.length > room) return joined(pages)
    pages.push(page)
    room -= page.body.length
    if (!goesOn || room <= 0) return joined(pages)
    assert(page.next !== at, `what is held up to ${at} is not asked for from there`)
    at = page.next
  }
}

/** What the one object that holds an offset has from there on, one batch at least. */
export async function readPiece(
  streams: Streams,
  path: string,
  offset: string,
  bytesMax: number,
): Promise<Piece | ReadFault> {
  const outcome = await streams.getByName(path).read(offset, bytesMax)
  if (outcome.kind === "page") return { kind: "piece", page: outcome, goesOn: false }
  if (outcome.kind !== "inherited") return outcome
  const { from, until } = outcome
  const part = await streams.getByName(outcome.path).readPart(from, until, bytesMax)
  if (part.kind === "trimmed") return part
  if (part.kind !== "page") return { kind: "lost" } // an ancestor keeps its part, unless it was put back to a copy
  const page = { ...part, upToDate: false, closed: false }
  return { kind: "piece", page, goesOn: page.next === until }
}

function joined(pages: readonly Page[]): Page {
  const [first, last] = [pages[0], pages.at(-1)]
  if (first === undefined || last === undefined) throw new Error("Headwater bug: a page has a piece")
  if (pages.length === 1) return first
  const bodies = pages.filter(({ from, next }) => from !== next).map(({ body }) => body)
  return {
    ...last,
    from: first.from,
    body: isJsonType(first.contentType) ? joinArrays(bodies) : joinBytes(bodies),
  }
}

const BRACKETS = [Uint8Array.of(0x5b), Uint8Array.of(0x5d)] as const
const COMMA = Uint8Array.of(0x2c)

/** One JSON array of several that are not empty. */
function joinArrays(arrays: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const [opening, closing] = BRACKETS
  const insides = arrays.flatMap((array, at) => {
    const inside = array.subarray(1, array.length - 1)
    return at === 0 ? [inside] : [COMMA, inside]
  })
  return joinBytes([opening, ...insides, closing])
}
