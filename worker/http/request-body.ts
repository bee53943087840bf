import { type TooLarge, tooLargeMessage } from "../../shared/append-reply.ts"
import type { Bounds } from "../../shared/limits.ts"
import { refuse } from "./answer.ts"

/** A request's bytes, or why there are none. */
export type RequestBody = { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> } | BodyFault

export type BodyFault =
  /** More than an append may have, as it came or once it was inflated. */
  | ({ readonly kind: "too-large" } & TooLarge)
  /** It is compressed in a way that this edge does not know. */
  | { readonly kind: "unknown-coding"; readonly came: string }
  /** It is not what it says it was compressed to. */
  | { readonly kind: "damaged"; readonly coding: string }

/** Content codings, RFC 9110, section 8.4.1, and how the runtime calls them. */
const CODINGS: Readonly<Record<string, "gzip" | "deflate">> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
}

/** Reads a body, inflating it if it is compressed, and keeps no more of it than an append may have. */
export async function readBody(
  request: Request,
  { appendBytesMax }: Pick<Bounds, "appendBytesMax">,
): Promise<RequestBody> {
  const coding = request.headers.get("content-encoding")?.trim().toLowerCase() ?? "identity"
  if (request.body === null || coding === "identity") return readPlain(request.body, appendBytesMax)
  const format = CODINGS[coding]
  if (format === undefined) return { kind: "unknown-coding", came: coding }
  try {
    return await readInflated(request.body.pipeThrough(new DecompressionStream(format)), appendBytesMax)
  } catch {
    return { kind: "damaged", coding }
  }
}

/** To its end, since an answer may not overtake it. */
async function readPlain(body: ReadableStream | null, appendBytesMax: number): Promise<RequestBody> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body ?? []) {
    length += part.length
    if (length <= appendBytesMax) parts.push(part)
    else parts.length = 0
  }
  if (length > appendBytesMax) return { kind: "too-large", bytes: length, appendBytesMax }
  return { kind: "whole", bytes: joined(parts, length) }
}

/** As far as an append may go: what a few bytes inflate to has no end. */
async function readInflated(body: ReadableStream, appendBytesMax: number): Promise<RequestBody> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of body) {
    length += part.length
    if (length > appendBytesMax) return { kind: "too-large", bytes: length, appendBytesMax, isCut: true }
    parts.push(part)
  }
  return { kind: "whole", bytes: joined(parts, length) }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** What a body that cannot be taken is answered. */
export function refuseBody(fault: BodyFault): Response {
  switch (fault.kind) {
    case "too-large":
      return refuse(413, tooLargeMessage(fault))
    case "unknown-coding": {
      const accepted = Object.keys(CODINGS).join(", ")
      const message = `A body is as it is, or compressed as ${accepted}; ${JSON.stringify(fault.came)} came.`
      return refuse(415, message, { "Accept-Encoding": accepted })
    }
    case "damaged":
      return refuse(400, `The body is ${fault.coding} by its Content-Encoding; other bytes came.`)
  }
}
