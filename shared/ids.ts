import type { Brand } from "./brand.ts"
import { COMMON_LIMITS } from "./common-limits.ts"
import { HeadwaterError } from "./errors.ts"

/** Names one event for ever, on every device. A UUID made by the producer. */
export type EventId = Brand<string, "EventId">

/** Names one producer of a stream (a device): the scope of epochs and sequence numbers. */
export type ProducerId = Brand<string, "ProducerId">

/** The address of a stream below the edge's `/v1/stream/`, for example `acme/orders`. */
export type StreamPath = Brand<string, "StreamPath">

/** Milliseconds since 1970, UTC. For people and for timers; it never orders events. */
export type Millis = Brand<number, "Millis">

const PATH_SEGMENT = /^[A-Za-z0-9._~-]+$/

/**
 * The only door through which the client accepts a stream's path: one or more segments of letters, digits,
 * `.`, `_`, `~` and `-`, joined by `/`. These need no escaping in a URL, so a path has one spelling.
 *
 * @throws HeadwaterError `invalid-path`, naming what was expected and what came.
 */
export function parseStreamPath(text: unknown): StreamPath {
  const fault = typeof text === "string" ? pathFault(text) : "it is not a string"
  if (fault !== undefined) {
    throw new HeadwaterError(
      "invalid-path",
      `A stream path is segments of letters, digits, ".", "_", "~" or "-", joined by "/", such as "acme/orders". ` +
        `${JSON.stringify(text) ?? String(text)} is none: ${fault}.`,
    )
  }
  return text as StreamPath // checked above
}

function pathFault(text: string): string | undefined {
  if (text === "") return "it is empty"
  if (text.length > COMMON_LIMITS.pathLengthMax)
    return `it has ${text.length} characters, ${COMMON_LIMITS.pathLengthMax} are allowed`
  for (const segment of text.split("/")) {
    if (segment === "") return "it has an empty segment"
    if (segment === "." || segment === "..") return `the segment "${segment}" would be resolved away in a URL`
    if (segment === "__ds") return `"__ds" is reserved by the protocol`
    if (!PATH_SEGMENT.test(segment)) return `the segment ${JSON.stringify(segment)} has other characters`
  }
  return undefined
}
