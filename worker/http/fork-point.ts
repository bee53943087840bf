import { assert } from "../../shared/assert.ts"
import { splitBatch } from "../../shared/batch.ts"
import { extendChain } from "../../shared/chain.ts"
import { isJsonType } from "../../shared/http.ts"
import {
  type IssuedOffset,
  issueOffset,
  NOW,
  type Offset,
  REFERENCE_START,
  readIssuedOffset,
  START,
} from "../../shared/offset.ts"
import type { CreateFault } from "../stream/create.ts"
import type { ForkClaim, ForkPoint } from "../stream/fork-claim.ts"
import { deletedSource, noSource } from "../stream/stream-forks.ts"
import type { Page, ReadFault } from "../stream/stream-reads.ts"
import { readPiece, type Source } from "./read-page.ts"

export type PointOutcome = ({ readonly kind: "point" } & ForkPoint) | CreateFault

/**
 * Where a fork leaves its source. An offset is checked by whoever holds what is before it, and what lies past it is
 * read from there: an append's bytes, or messages, of which each ends at a place of its own.
 */
export async function forkPoint(source: Source, claim: ForkClaim): Promise<PointOutcome> {
  const { offset = NOW, sub } = claim
  const at = offset === REFERENCE_START ? START : offset
  const piece = await readPiece(source, at, { bytesMax: 0 })
  if (piece.kind !== "piece") return refusal(piece, claim)
  if (sub === 0) return point(piece.page.from)
  return isJsonType(piece.page.contentType)
    ? pointPastMessages(source, claim, piece.page)
    : pointPastBytes(claim, piece.page)
}

/** The page holds one batch, which in a stream of bytes is one append. */
function pointPastBytes(claim: ForkClaim, { from, next, body }: Page): PointOutcome {
  const { sub } = claim
  if (from === next || sub > body.length) return overshoot(claim)
  return sub === body.length ? point(next) : point(from, body.slice(0, sub))
}

async function pointPastMessages(source: Source, claim: ForkClaim, first: Page): Promise<PointOutcome> {
  let left = claim.sub
  let room = source.readBytesMax
  for (let page = first; ; ) {
    const [from, next] = [issued(page.from), issued(page.next)]
    const count = next.position - from.position
    if (left <= count) return point(offsetPast(page, from, next, left))
    room -= page.body.length
    if (count === 0 || room <= 0) return overshoot(claim)
    left -= count
    const piece = await readPiece(source, page.next, { bytesMax: room })
    if (piece.kind !== "piece") return refusal(piece, claim)
    page = piece.page
  }
}

/** All of a page is held by one stream, so its places have one generation: that of its end. */
function offsetPast({ body }: Page, from: IssuedOffset, { generation }: IssuedOffset, count: number): Offset {
  const text = new TextDecoder().decode(body.subarray(1, body.length - 1))
  const chain = extendChain(from.chain, splitBatch(text, count)[0])
  return issueOffset({ generation, position: from.position + count, chain })
}

function point(offset: Offset, prefix?: Uint8Array<ArrayBuffer>): PointOutcome {
  return { kind: "point", offset, prefix }
}

function issued(offset: Offset): IssuedOffset {
  const read = readIssuedOffset(offset)
  assert(read !== undefined, `${offset} is an offset of ours`)
  return read
}

function overshoot({ source, offset, sub }: ForkClaim): CreateFault {
  const reason = `Stream-Fork-Sub-Offset stays in what was appended to ${source}; ${sub} past ${offset} is beyond.`
  return { kind: "malformed", reason }
}

function refusal(fault: ReadFault, { source, offset = "its tail" }: ForkClaim): CreateFault {
  switch (fault.kind) {
    case "missing":
      return noSource(source)
    case "deleted":
      return deletedSource(source)
    case "malformed":
      return fault
    case "trimmed": {
      const reason = `${source} keeps what is after ${fault.earliest}; a fork from ${offset} was asked for.`
      return { kind: "malformed", reason }
    }
    default:
      return { kind: "malformed", reason: `A fork leaves ${source} at an offset of it; ${offset} is none.` }
  }
}
