import type { ErrorData } from "../../shared/errors.ts"
import type { Replica } from "../replica/replica.ts"
import type { EdgeStream } from "./edge.ts"
import type { Failure } from "./edge-requests.ts"
import type { LogWriter } from "./log-writer.ts"

export const CLOSED: ErrorData = {
  code: "rejected",
  message: "The stream is closed: it takes no more events.",
}

export const DELETED: ErrorData = { code: "rejected", message: "The edge has deleted this stream." }

/**
 * Why the edge's log does not go on from where this device has read to: the stream was deleted, or its log is the
 * beginning of the one that was read, or another one.
 */
export async function whyGone(
  edge: EdgeStream,
  { replica, writer }: { readonly replica: Replica; readonly writer: LogWriter },
  signal: AbortSignal,
): Promise<Failure> {
  edge.doubtCaches() // what they hold may be of the log that was
  const answer = await edge.tail(signal)
  if (answer.kind === "gone" || answer.kind === "missing")
    return { kind: "refused", reason: "deleted", error: DELETED }
  if (answer.kind !== "done") return answer
  const where = `The edge's log ends at ${answer.value}; this device has read it to ${replica.head}`
  if (await writer.passed(answer.value)) {
    const error = { code: "rolled-back", message: `${where}: it was put back to an older copy.` } as const
    return { kind: "refused", reason: "rolled-back", error }
  }
  const error = { code: "diverged", message: `${where}, which is no place in it.` } as const
  return { kind: "refused", reason: "diverged", error }
}
