import type { Pause } from "./append.ts"
import type { Reply } from "./append-reply.ts"
import { HEADER } from "./http.ts"
import type { Bounds } from "./limits.ts"
import { writeDollars } from "./prices.ts"

/*
 * What is refused for now, and taken later: 429, and how many seconds later at the soonest. The same over HTTP and over
 * a socket.
 */

/** The stream has cost what it may cost today. */
export function overBudget({ waitMs, resumesAt, budget }: Pause): Reply {
  const spent = `The stream has cost its ${writeDollars(budget)} dollars of today`
  return later(waitMs / 1_000, `${spent}; it takes appends again at ${resumesAt}.`, {
    [HEADER.resumesAt]: resumesAt,
  })
}

/** More appends came than a stream judges in a second. */
export function tooFast(perSecondMax: number, waitMs: number): Reply {
  return later(waitMs / 1_000, `A stream takes ${perSecondMax} appends a second; more came.`)
}

/** The stream has no room for another reader. */
export function noRoom({
  socketsMax,
  roomRetrySecondsMin,
}: Pick<Bounds, "socketsMax" | "roomRetrySecondsMin">): Reply {
  return later(
    roomRetrySecondsMin,
    `A stream has at most ${socketsMax} readers at a time; this one has as many.`,
  )
}

/** The principal has made all the streams that it may have. Each attempt looks whether some are gone. */
export function tooManyStreams({
  streamsPerPrincipalMax,
  creationMsMax,
}: Pick<Bounds, "streamsPerPrincipalMax" | "creationMsMax">): Reply {
  const expected = `A principal may have ${streamsPerPrincipalMax} streams, and this one has as many`
  return later(creationMsMax / 1_000, `${expected}; delete one, or try again if one was deleted.`)
}

function later(seconds: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply {
  const wait = String(Math.max(1, Math.ceil(seconds)))
  return { status: 429, headers: { ...headers, [HEADER.retryAfter]: wait }, message }
}
