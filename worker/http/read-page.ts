import { assert } from "../../shared/assert.ts"
import { isJsonType } from "../../shared/http.ts"
import { issueOffset } from "../../shared/offset.ts"
import type { Caller } from "../access/caller.ts"
import type { Env } from "../env.ts"
import { joinArrays, joinBytes } from "../page-body.ts"
import { sha256 } from "../segments/r2-store.ts"
import type { SegmentStore } from "../segments/sealer.ts"
import { readSegment } from "../segments/segment.ts"
import type { Page, ReadFault, Sealed } from "../stream/stream-reads.ts"
import type { StreamAccess } from "./feed.ts"

export type Streams = Env["STREAMS"]

/** A stream, who asks it, and where else what it holds may be: all that is needed to read it. */
export type Source = StreamAccess & Holders

/** Whoever answers for the stream, who asks it, and where else what it holds may be. */
export type ReadSource = Holders & {
  readonly stub: Pick<StreamAccess["stub"], "read">
  readonly caller: Caller
}

type Holders = {
  /** Where the streams are that it descends from. */
  readonly streams: Streams
  readonly store: SegmentStore | undefined
  /** How many bytes of batches a page may have. It has one batch at least. */
  readonly readBytesMax: number
}

/** What one holder has, and whether another one has what follows it. */
export type Piece = { readonly kind: "piece"; readonly page: Page; readonly goesOn: boolean }

/**
 * One page of a stream from an offset on, up to another one if that is given, whoever holds it: what has been sealed is
 * read from its segment, what a fork inherits is asked of the streams that it descends from, as far as a page reaches.
 * A page of several pieces ends before the piece that would make it too large.
 *
 * @throws Error marked as retryable when a segment is missing, or is not what was sealed
 */
export async function readPage(source: ReadSource, offset: string, end?: string): Promise<Page | ReadFault> {
  const pages: Page[] = []
  let room = source.readBytesMax
  for (let at = offset; ; ) {
    const piece = await readPiece(source, at, { end, bytesMax: room })
    if (piece.kind !== "piece") return pages.length === 0 ? piece : joined(pages)
    const { page, goesOn } = piece
    if (pages.length > 0 && page.body.length > room) return joined(pages)
    pages.push(page)
    room -= page.body.length
    if (!goesOn || page.next === end || room <= 0) return joined(pages)
    assert(page.next !== at, `what is held up to ${at} is not asked for from there`)
    at = page.next
  }
}

export type PieceBounds = { readonly end?: string | undefined; readonly bytesMax: number }

/** What the one who holds an offset has from there on, one batch at least. */
export async function readPiece(
  { stub, caller, streams, store }: ReadSource,
  offset: string,
  { end, bytesMax }: PieceBounds,
): Promise<Piece | ReadFault> {
  const outcome = await stub.read({ offset, end, bytesMax }, caller)
  if (outcome.kind === "page") return { kind: "piece", page: outcome, goesOn: false }
  if (outcome.kind === "sealed") return pieceOf(await readSealed(store, outcome), undefined)
  if (outcome.kind !== "inherited") return outcome
  const { from, until } = outcome
  const part = await streams.getByName(outcome.path).readPart(from, until, bytesMax)
  if (part.kind === "trimmed") return { ...part, earliest: part.earliest < until ? part.earliest : until }
  if (part.kind === "sealed") return pieceOf(await readSealed(store, part), until)
  if (part.kind !== "page") return { kind: "lost" } // an ancestor keeps its part, unless it was put back to a copy
  return pieceOf({ ...part, upToDate: false, closed: false }, until)
}

/** `until` is where the part of an ancestor ends, after which another holder goes on. */
function pieceOf(page: Page | ReadFault, until: string | undefined): Piece | ReadFault {
  return page.kind === "page" ? { kind: "piece", page, goesOn: page.next === until } : page
}

async function readSealed(
  store: SegmentStore | undefined,
  { from, generation, part }: Sealed,
): Promise<Page | ReadFault> {
  const { key, sha256: expected } = part.segment
  const object = await store?.get(key)
  if (object === undefined || (await sha256(object)) !== expected) {
    throw Object.assign(new Error(`The segment ${key} is missing or damaged.`), { retryable: true })
  }
  const page = readSegment(object, part)
  if (page === undefined) return { kind: "lost" }
  const { contentType } = part
  const next = issueOffset({ generation, ...page.next })
  return { kind: "page", contentType, from, next, upToDate: false, closed: false, body: page.body }
}

function joined(pages: readonly Page[]): Page {
  const [first, last] = [pages[0], pages.at(-1)]
  assert(first !== undefined && last !== undefined, "a page has a piece")
  if (pages.length === 1) return first
  const bodies = pages.filter(({ from, next }) => from !== next).map(({ body }) => body)
  return {
    ...last,
    from: first.from,
    body: isJsonType(first.contentType) ? joinArrays(bodies) : joinBytes(bodies),
  }
}
