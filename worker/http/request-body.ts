import { type TooLarge, tooLargeMessage } from "../../shared/append-reply.ts"
import type { Bounds } from "../../shared/limits.ts"
import { refuse } from "./answer.ts"
import { type CompressionFormat, inflate } from "./inflate.ts"

/** A request's bytes as its sender meant them, or why there are none. */
export type RequestBody = { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> } | BodyFault

export type BodyFault =
  | ({ readonly kind: "too-large" } & TooLarge)
  /** So many bytes came, and inflate to more than are allowed. To how many, nobody tried. */
  | ({ readonly kind: "inflates-too-large" } & TooLarge)
  | { readonly kind: "unknown-encoding"; readonly encoding: string }
  | { readonly kind: "corrupt"; readonly encoding: string }

/** The codings of RFC 9110, section 8.4.1, by what the platform calls them. */
const FORMATS: ReadonlyMap<string, CompressionFormat> = new Map([
  ["gzip", "gzip"],
  ["x-gzip", "gzip"],
  ["deflate", "deflate"], // in both places the name of the zlib format
])

/**
 * Reads a body to its end, since an answer may not overtake it, and keeps no more of it than an append may
 * have. What is compressed is inflated, and no further than that.
 */
export async function readBody(
  request: Request,
  { appendBytesMax }: Pick<Bounds, "appendBytesMax">,
): Promise<RequestBody> {
  const encoding = request.headers.get("content-encoding")?.trim().toLowerCase() || "identity"
  const sent = await readSent(request, appendBytesMax)
  if (encoding === "identity") return sent
  const format = FORMATS.get(encoding)
  if (format === undefined) return { kind: "unknown-encoding", encoding }
  if (sent.kind !== "whole" || sent.bytes.length === 0) return sent
  const inflated = await inflate(sent.bytes, format, appendBytesMax)
  switch (inflated.kind) {
    case "whole":
      return inflated
    case "too-large":
      return { kind: "inflates-too-large", bytes: sent.bytes.length, appendBytesMax }
    case "corrupt":
      return { kind: "corrupt", encoding }
  }
}

/** The answer to a body that there is nothing to do with. */
export function refuseBody(fault: BodyFault): Response {
  switch (fault.kind) {
    case "too-large":
      return refuse(413, tooLargeMessage(fault))
    case "inflates-too-large": {
      const allowed = `An append may have ${fault.appendBytesMax} bytes`
      return refuse(413, `${allowed}; the ${fault.bytes} that came inflate to more.`)
    }
    case "unknown-encoding": {
      const came = JSON.stringify(fault.encoding)
      const message = `A body comes as it is, or with the Content-Encoding gzip or deflate; ${came} came.`
      return refuse(415, message, { "Accept-Encoding": "gzip, deflate" })
    }
    case "corrupt":
      return refuse(400, `A body of Content-Encoding ${fault.encoding} was expected; other bytes came.`)
  }
}

async function readSent(
  request: Request,
  appendBytesMax: number,
): Promise<Extract<RequestBody, { kind: "whole" | "too-large" }>> {
  const promised = request.headers.get("content-length")
  if (promised !== null && Number(promised) <= appendBytesMax) {
    return { kind: "whole", bytes: new Uint8Array(await request.arrayBuffer()) } // HTTP holds senders to their word
  }
  const parts: Uint8Array[] = []
  let length = 0
  for await (const part of request.body ?? []) {
    length += part.length
    if (length <= appendBytesMax) parts.push(part)
    else parts.length = 0
  }
  if (length > appendBytesMax) return { kind: "too-large", bytes: length, appendBytesMax }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { kind: "whole", bytes }
}
