import type { StopReason } from "../../shared/connection.ts"
import type { ErrorData } from "../../shared/errors.ts"
import { done, type EdgeStream, type Exchange } from "./edge.ts"
import type { LogWriter } from "./log-writer.ts"
import type { Replica } from "./replica.ts"

/** Why a stream has stopped. */
export type Stop = { readonly reason: StopReason; readonly error: ErrorData }

export const DELETED = stop("deleted", "rejected", "The edge has deleted this stream.")

export const CLOSED = stop("closed", "rejected", "The stream is closed: it takes no more events.")

/** The edge's log does not go on from where this device has read to: is it the beginning of it, or another one? */
export async function whyGone(
  edge: EdgeStream,
  replica: Replica,
  writer: LogWriter,
  signal: AbortSignal,
): Promise<Exchange<Stop>> {
  const answer = await edge.tail(signal)
  if (answer.kind === "gone" || answer.kind === "missing") return done(DELETED)
  if (answer.kind !== "done") return answer
  const tail = answer.value
  const where = `The edge's log ends at ${tail}; this device has read it to ${replica.head}`
  if (await writer.passed(tail))
    return done(stop("rolled-back", "rolled-back", `${where}: it was put back to an older copy.`))
  return done(stop("diverged", "diverged", `${where}, which is no place in it.`))
}

function stop(reason: StopReason, code: ErrorData["code"], message: string): Stop {
  return { reason, error: { code, message } }
}
