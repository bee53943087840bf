import { depthOf } from "./batch.ts"
import { COMMON_LIMITS } from "./common-limits.ts"
import { bad, type Decoded, good, parseJson } from "./decoded.ts"
import { isEvent, utf8Length } from "./events.ts"
import type { EventId } from "./ids.ts"

/*
 * Events on their way from one device to another, or to a file: one message a line, each line ended by a line feed. A
 * line is the message as it is stored, without the line breaks that JSON allows between its tokens.
 */

/** A message as a line of its own. In a string JSON has no raw line break, so what is dropped means nothing. */
export function toLine(message: string): string {
  return `${message.replace(/[\r\n]+/g, "")}\n`
}

/** Cuts text that comes in pieces of any size into lines. */
export class LineCutter {
  #rest = ""

  /** How much of a line has come that has not ended. */
  get restLength(): number {
    return this.#rest.length
  }

  /** The lines that end in the next piece, without their ends. To be read to the last before another piece. */
  *cut(piece: string): Generator<string, void> {
    let from = 0
    for (let end = piece.indexOf("\n"); end !== -1; end = piece.indexOf("\n", from)) {
      yield this.#rest + piece.slice(from, end)
      this.#rest = ""
      from = end + 1
    }
    this.#rest += piece.slice(from)
  }

  /** The last line, when nothing has ended it. */
  *end(): Generator<string, void> {
    if (this.#rest !== "") yield this.#rest
    this.#rest = ""
  }
}

/** An event as another device wrote it. */
export type EventLine = { readonly id: EventId; readonly text: string; readonly bytes: number }

/**
 * Reads a line that is an event of ours, byte for byte but for blanks around it. `reason` names what was expected and
 * what came.
 *
 * Its data is not held against a definition: the log has what a schema gave, which need not be what it takes.
 */
export function decodeEventLine(line: string): Decoded<EventLine> {
  const text = line.trim()
  const bytes = utf8Length(text)
  if (bytes > COMMON_LIMITS.eventBytesMax)
    return bad(`An event may have ${COMMON_LIMITS.eventBytesMax} bytes; this one has ${bytes}.`)
  const parsed = parseJson(text)
  if (!parsed.ok) return parsed
  const event = parsed.value
  if (!isEvent(event))
    return bad(`An event was expected, an object with a text id and a text type; ${kindOf(event)} came.`)
  const depth = depthOf(text)
  if (depth > COMMON_LIMITS.jsonDepthMax)
    return bad(`An event may nest ${COMMON_LIMITS.jsonDepthMax} levels deep; this one has ${depth}.`)
  if (LONE_SURROGATE.test(text))
    return bad("Text that UTF-8 can write was expected; half of a surrogate pair came.")
  return good({ id: event.id, text, bytes })
}

const LONE_SURROGATE = /\p{Surrogate}/u // with `u`, both halves together are one character of another kind

function kindOf(value: unknown): string {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  return typeof value === "object" ? "an object without them" : `a ${typeof value}`
}
