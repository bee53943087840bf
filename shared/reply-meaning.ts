import type { StopReason } from "./connection.ts"
import type { ErrorData } from "./errors.ts"
import type { AppendReply } from "./frames.ts"
import { HEADER, saysTrue } from "./http.ts"
import { type Offset, parseOffset } from "./offset.ts"
import { retryAfterMs } from "./retry-after.ts"

/** What the edge's reply to a batch means for whoever sent it. */
export type ReplyMeaning =
  /** It is in the log, between these places. */
  | { readonly kind: "stored"; readonly from: Offset; readonly next: Offset }
  /** A batch of this number was taken before; `next` is the place after it, where the edge still knows. */
  | { readonly kind: "taken"; readonly next: Offset | undefined }
  /** The number is what is wrong: under another producer's id the batch would be taken. */
  | { readonly kind: "number" }
  /** Too much for now, on a connection that is fine. */
  | { readonly kind: "wait"; readonly waitMs: number | undefined; readonly error: ErrorData }
  /** Something in the batch is refused, and would be again. */
  | { readonly kind: "batch"; readonly error: ErrorData }
  /** The stream takes nothing from this device any more. */
  | { readonly kind: "stream"; readonly reason: StopReason; readonly error: ErrorData }
  /** The edge could not judge it. */
  | { readonly kind: "lost"; readonly error: ErrorData; readonly leastMs: number | undefined }

/**
 * Sorts the replies to a batch. `expected` is where the batch wanted the stream to end, if it said so.
 *
 * What is about the stream has a status of its own (404, 410) or says `Stream-Closed`; what is about the number says
 * `Producer-Conflict`; every other 4xx is about the messages.
 */
export function meaningOf(reply: AppendReply, expected: Offset | undefined): ReplyMeaning {
  const { status, headers, from } = reply
  const next = parseOffset(headers[HEADER.nextOffset] ?? "")
  const message = reply.message ?? `The edge answered ${status}.`
  if (saysTrue(headers[HEADER.producerConflict])) return { kind: "number" }
  if (status < 300) {
    if (from !== undefined && next !== undefined) return { kind: "stored", from, next }
    return { kind: "taken", next }
  }
  if (saysTrue(headers[HEADER.closed])) return stopped("closed", "rejected", message)
  if (status === 410) return stopped("deleted", "rejected", message)
  if (status === 404) return stopped("forbidden", "rejected", READ_ONLY)
  const waitMs = retryAfterMs(headers[HEADER.retryAfter])
  if (status === 429) return { kind: "wait", waitMs, error: { code: "throttled", message } }
  if (status === 401 || status >= 500 || status < 400)
    return { kind: "lost", error: { code: "unreachable", message }, leastMs: waitMs }
  if (status === 409 && expected !== undefined && next !== undefined)
    return {
      kind: "batch",
      error: { code: "conflict", message: conflictMessage(expected, next), tail: next },
    }
  return { kind: "batch", error: { code: "rejected", message } }
}

/** A socket ends with its stream, so to the edge that says 404 on an open one the stream is there, for others. */
const READ_ONLY = "The edge lets this account read the stream, not append to it."

function stopped(reason: StopReason, code: ErrorData["code"], message: string): ReplyMeaning {
  return { kind: "stream", reason, error: { code, message } }
}

function conflictMessage(expected: Offset, tail: Offset): string {
  return `The event was to be appended if the stream ended at ${expected}; it ends at ${tail}.`
}
