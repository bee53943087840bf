import type { AppendClaim, ProducerClaim } from "./append.ts"
import { bad, type Decoded, good, isCount } from "./decoded.ts"
import { HEADER, saysTrue } from "./http.ts"
import type { Bounds } from "./limits.ts"
import { NOW, parseOffset } from "./offset.ts"

/** How long what an append says of itself may be. */
export type ClaimBounds = Pick<Bounds, "producerIdLengthMax" | "streamSeqLengthMax" | "contentTypeLengthMax">

/** Reads what a POST of this principal says of itself. `header` answers by lower-case name. */
export function claimOfHeaders(
  header: (name: string) => string | undefined,
  bounds: ClaimBounds,
  principal: string | undefined,
): Decoded<AppendClaim> {
  const fields = {
    producer: header(HEADER.producerId),
    epoch: wholeNumber(header(HEADER.producerEpoch)),
    seq: wholeNumber(header(HEADER.producerSeq)),
    streamSeq: header(HEADER.streamSeq),
    expectedOffset: header(HEADER.expectedOffset),
    close: saysTrue(header(HEADER.closed)),
    contentType: header("content-type"),
  }
  return claimOf(fields, bounds, principal)
}

/** Reads what an append frame of this principal says of itself. Its fields have the types of JSON. */
export function claimOfFrame(
  fields: Record<string, unknown>,
  bounds: ClaimBounds,
  principal: string | undefined,
): Decoded<AppendClaim> {
  return claimOf({ ...fields, close: fields.close === true }, bounds, principal)
}

/**
 * A header that is written as a whole number becomes one; any other stays the text it is, and is refused
 * below.
 */
function wholeNumber(text: string | undefined): unknown {
  return text !== undefined && /^[0-9]{1,16}$/.test(text) ? Number(text) : text
}

type ClaimFields = { readonly close: boolean } & Readonly<Record<string, unknown>>

const VISIBLE = /^[ -~]+$/

function claimOf(
  { contentType, streamSeq, expectedOffset, close, ...fields }: ClaimFields,
  bounds: ClaimBounds,
  principal: string | undefined,
): Decoded<AppendClaim> {
  const producer = producerOf(fields, bounds)
  if (!producer.ok) return producer
  if (contentType !== undefined && typeof contentType !== "string")
    return bad("The content type is a string.")
  const long =
    longer("Content-Type", contentType, bounds.contentTypeLengthMax) ??
    longer("Stream-Seq", streamSeq, bounds.streamSeqLengthMax)
  if (long !== undefined) return bad(long)
  if (streamSeq !== undefined && !(typeof streamSeq === "string" && VISIBLE.test(streamSeq))) {
    return bad(`Stream-Seq is ASCII text; ${JSON.stringify(streamSeq)} came.`)
  }
  const expected = typeof expectedOffset === "string" ? parseOffset(expectedOffset) : undefined
  if (expectedOffset !== undefined && (expected === undefined || expected === NOW)) {
    return bad(
      `Stream-Expected-Offset is an offset of the stream, or -1; ${JSON.stringify(expectedOffset)} came.`,
    )
  }
  return good({
    contentType,
    producer: producer.value,
    streamSeq,
    expectedOffset: expected,
    close,
    principal,
  })
}

/** What is wrong with the length of a text; undefined when nothing is. */
function longer(name: string, text: unknown, lengthMax: number): string | undefined {
  if (typeof text !== "string" || text.length <= lengthMax) return undefined
  return `${name} has at most ${lengthMax} characters; ${text.length} came.`
}

function producerOf(
  { producer: id, epoch, seq }: Record<string, unknown>,
  { producerIdLengthMax }: ClaimBounds,
): Decoded<ProducerClaim | undefined> {
  if (id === undefined && epoch === undefined && seq === undefined) return good(undefined)
  if (typeof id !== "string" || !VISIBLE.test(id) || id.length > producerIdLengthMax) {
    const expected = `a producer's id is 1 to ${producerIdLengthMax} characters of ASCII`
    return bad(
      `Id, epoch and seq of a producer come together, and ${expected}; ${JSON.stringify(id) ?? "none"} came.`,
    )
  }
  if (!isCount(epoch) || !isCount(seq)) {
    const came = `${JSON.stringify(epoch) ?? "none"} and ${JSON.stringify(seq) ?? "none"}`
    return bad(`Epoch and seq of a producer are whole numbers from 0 to 2^53-1; ${came} came.`)
  }
  return good({ id, epoch, seq })
}
