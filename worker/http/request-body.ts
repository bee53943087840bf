import type { TooLarge } from "../../shared/append-reply.ts"
import type { Bounds } from "../../shared/limits.ts"

/** A request's bytes, or how many they are when that is more than an append may have. */
export type RequestBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array<ArrayBuffer> }
  | ({ readonly kind: "too-large" } & TooLarge)

/**
 * Reads a body to its end, since an answer may not overtake it, and keeps no more of it than an append may
 * have.
 */
export async function readBody(
  request: Request,
  { appendBytesMax }: Pick<Bounds, "appendBytesMax">,
): Promise<RequestBody> {
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
