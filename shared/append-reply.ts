import type { AppendClaim, AppendVerdict, StreamFacts } from "./append.ts"
import { foreignSourceMessage } from "./attribution.ts"
import { HEADER } from "./http.ts"
import type { Offset } from "./offset.ts"
import type { ProducerMark } from "./producer.ts"
import { overBudget } from "./refusals.ts"

/** An answer as HTTP would give it, without the headers that every answer carries. */
export type Reply = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly message?: string
}

/** What a reply tells of the stream. */
export type Tail = Pick<StreamFacts, "contentType" | "closed" | "tail">

/**
 * The one place where verdicts become statuses. `before` is the tail that the append found, `after` the stream once
 * the verdict is carried out.
 */
export function replyTo(verdict: AppendVerdict, claim: AppendClaim, before: Offset, after: Tail): Reply {
  const closed = after.closed && { [HEADER.closed]: "true" }
  const tail = { [HEADER.nextOffset]: after.tail, ...closed }
  switch (verdict.kind) {
    case "store":
      return {
        status: claim.producer === undefined ? 204 : 200,
        headers: { [HEADER.fromOffset]: before, ...tail, ...markHeaders(claim.producer) },
      }
    case "close":
      return { status: 204, headers: { ...tail, ...markHeaders(claim.producer) } }
    case "duplicate": {
      const { batch, likeness, known } = verdict
      const place = batch && { [HEADER.fromOffset]: batch.from, [HEADER.nextOffset]: batch.next }
      const conflict = likeness === "other" && ANOTHER_PRODUCER
      return { status: 204, headers: { ...place, ...closed, ...conflict, ...markHeaders(known) } }
    }
    default:
      return refusal(verdict, after, tail)
  }
}

/** What is wrong is the number: the same messages are taken under a producer's id that nobody has used. */
const ANOTHER_PRODUCER = { [HEADER.producerConflict]: "true" }

type Refusal = Exclude<AppendVerdict, { kind: "store" | "close" | "duplicate" }>

function refusal(verdict: Refusal, stream: Tail, tail: Record<string, string>): Reply {
  switch (verdict.kind) {
    case "malformed":
      return { status: 400, headers: {}, message: verdict.reason }
    case "too-large":
      return { status: 413, headers: {}, message: tooLargeMessage(verdict) }
    case "closed":
      return { status: 409, headers: tail, message: "The stream is closed; nothing can be appended to it." }
    case "wrong-type":
      return {
        status: 409,
        headers: {},
        message: `The stream holds ${stream.contentType}; ${verdict.came} came.`,
      }
    case "foreign-source":
      return { status: 403, headers: {}, message: foreignSourceMessage(verdict.principal, verdict.came) }
    case "stale-stream-seq": {
      const [last, came] = [JSON.stringify(verdict.last), JSON.stringify(verdict.came)]
      const message = `Stream-Seq must rise: the last was ${last}, and ${came} came.`
      return { status: 409, headers: {}, message }
    }
    case "fenced": {
      const headers = { [HEADER.producerEpoch]: String(verdict.epoch), ...ANOTHER_PRODUCER }
      return {
        status: 403,
        headers,
        message: `The producer's epoch is ${verdict.epoch} by now; an earlier one came.`,
      }
    }
    case "bad-start":
      return {
        status: 400,
        headers: ANOTHER_PRODUCER,
        message: "A producer's new epoch begins with seq 0; a later one came.",
      }
    case "epoch-jump": {
      const { epoch, epochJumpMax } = verdict
      const message = `The producer's epoch is ${epoch}, and may rise by ${epochJumpMax} at once; a later one came.`
      return { status: 400, headers: ANOTHER_PRODUCER, message }
    }
    case "foreign-producer":
      return {
        status: 403,
        headers: ANOTHER_PRODUCER,
        message: "Another principal appends under this producer's id.",
      }
    case "unexpected-tail": {
      const message = `The stream was expected to end at ${verdict.expected}; it ends at ${stream.tail}.`
      return { status: 409, headers: tail, message }
    }
    case "gap": {
      const { expectedSeq, receivedSeq } = verdict
      const [expected, received] = [String(expectedSeq), String(receivedSeq)]
      const numbers = { [HEADER.expectedSeq]: expected, [HEADER.receivedSeq]: received }
      return {
        status: 409,
        headers: { ...numbers, ...ANOTHER_PRODUCER },
        message: `Seq ${expectedSeq} of this producer comes next; ${receivedSeq} came.`,
      }
    }
    case "over-budget":
      return overBudget(verdict)
  }
}

export const MISSING: Reply = { status: 404, headers: {}, message: "There is no such stream." }

export const DELETED: Reply = {
  status: 410,
  headers: {},
  message: "The stream was deleted; only forks of it still read what it held.",
}

/** An append, or a body that would have been one, and how many bytes it may have. */
export type TooLarge = {
  readonly bytes: number
  readonly appendBytesMax: number
}

export function tooLargeMessage({ bytes, appendBytesMax }: TooLarge): string {
  return `An append may have ${appendBytesMax} bytes; this one has ${bytes}.`
}

function markHeaders(mark: ProducerMark | undefined): Record<string, string> {
  if (mark === undefined) return {}
  return { [HEADER.producerEpoch]: String(mark.epoch), [HEADER.producerSeq]: String(mark.seq) }
}
