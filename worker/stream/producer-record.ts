import type { ProducerClaim } from "../../shared/append.ts"
import { assert } from "../../shared/assert.ts"
import { readChain } from "../../shared/chain.ts"
import type { Place } from "../../shared/offset.ts"
import type { ProducerMark } from "../../shared/producer.ts"
import { type SqlRow, textIn, wholeIn } from "./stream-host.ts"

/*
 * A producer's row remembers where its last batches stand, so that one that comes again can be told so, and told from
 * another under the same number. One line each, the last one first, of the epoch in the row:
 *
 *   seq SP position SP chain SP position SP chain      the place before it, the place after it
 *
 * It is one row however many they are, and it is read only when a batch does come again.
 */
export type ProducerRecord = ProducerMark & { readonly owner: string | undefined; readonly batches: string }

/** Where a batch stands. */
export type BatchPlace = { readonly from: Place; readonly next: Place }

export function producerOf(row: SqlRow): ProducerRecord {
  return {
    owner: row.owner === null ? undefined : textIn(row.owner),
    epoch: wholeIn(row.epoch),
    seq: wholeIn(row.seq),
    batches: textIn(row.batches),
  }
}

/** The record after one more batch, of which it remembers `batchesMax`. */
export function noteBatch(
  known: ProducerRecord | undefined,
  { epoch, seq }: ProducerClaim,
  principal: string | undefined,
  { from, next }: BatchPlace,
  batchesMax: number,
): ProducerRecord {
  const line = `${seq} ${from.position} ${from.chain} ${next.position} ${next.chain}\n`
  const before = known?.epoch === epoch ? known.batches : ""
  const batches = line + before.split("\n", batchesMax - 1).join("\n")
  return { owner: known?.owner ?? principal, epoch, seq, batches }
}

/** Where batch `seq` stands; undefined when that was longer ago than is remembered. */
export function batchOf({ batches }: ProducerRecord, seq: number): BatchPlace | undefined {
  const line = batches.split("\n").find((one) => one.startsWith(`${seq} `))
  if (line === undefined) return undefined
  const [, before, chainBefore, after, chainAfter] = line.split(" ")
  return { from: placeOf(before, chainBefore), next: placeOf(after, chainAfter) }
}

function placeOf(position: string | undefined, text: string | undefined): Place {
  const chain = readChain(text ?? "")
  assert(position !== undefined && chain !== undefined, "a producer's row holds places")
  return { position: Number(position), chain }
}
