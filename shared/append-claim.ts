import type { AppendClaim, ProducerClaim } from "./append.ts"
import { bad, type Decoded, good } from "./decoded.ts"
import { HEADER, saysTrue } from "./http.ts"
import { LIMITS } from "./limits.ts"
import { NOW, parseOffset } from "./offset.ts"

/** Reads what a POST of this principal says of itself. `header` answers by lower-case name. */
export function claimOfHeaders(
  header: (name: string) => string | undefined,
  principal: string | undefined,
): Decoded<AppendClaim> {
  return claimOf(principal, {
    producer: header(HEADER.producerId),
    epoch: wholeNumber(header(HEADER.producerEpoch)),
    seq: wholeNumber(header(HEADER.producerSeq)),
    streamSeq: header(HEADER.streamSeq),
    expectedOffset: header(HEADER.expectedOffset),
    close: saysTrue(header(HEADER.closed)),
    contentType: header("content-type"),
  })
}

/** Reads what an append frame of this principal says of itself. Its fields have the types of JSON. */
export function claimOfFrame(
  fields: Record<string, unknown>,
  principal: string | undefined,
): Decoded<AppendClaim> {
  return claimOf(principal, { ...fields, close: fields.close === true })
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
  principal: string | undefined,
  { contentType, streamSeq, expectedOffset, close, ...fields }: ClaimFields,
): Decoded<AppendClaim> {
  const producer = producerOf(fields)
  if (!producer.ok) return producer
  if (contentType !== undefined && typeof contentType !== "string")
    return bad("The content type is a string.")
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

function producerOf({
  producer: id,
  epoch,
  seq,
}: Record<string, unknown>): Decoded<ProducerClaim | undefined> {
  if (id === undefined && epoch === undefined && seq === undefined) return good(undefined)
  if (typeof id !== "string" || !VISIBLE.test(id) || id.length > LIMITS.producerIdLengthMax) {
    const expected = `a producer's id is 1 to ${LIMITS.producerIdLengthMax} characters of ASCII`
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

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 // an integer is a number
}
