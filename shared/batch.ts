import { bad, type Decoded, good, parseJson } from "./decoded.ts"

/*
 * A batch of a JSON stream is the text of its messages, joined by commas, byte for byte as they were sent:
 *
 *   {"id":"a"},{"id":"b","total":1.0}
 *
 * It is what the producer freezes, what travels, what one row of the edge holds and what readers store. Brackets
 * around it make it a JSON array. Nobody parses and writes it again, so a number keeps its spelling and an object its
 * order of keys.
 */

/** A batch that has been checked: `count` messages of JSON, none too deep. The empty text holds none. */
export type Batch = { readonly text: string; readonly count: number }

export const EMPTY_BATCH: Batch = { text: "", count: 0 }

/** Checks the text of a batch, without brackets, as a WebSocket frame carries it. Messages nest so deep at most. */
export function decodeBatch(text: string, depthMax: number): Decoded<Batch> {
  const parsed = parseJson(`[${text}]`)
  if (!parsed.ok) return parsed
  if (depthOf(text) > depthMax) return tooDeep(depthMax)
  return good({ text, count: (parsed.value as unknown[]).length }) // brackets make an array
}

/** Checks the body of an HTTP append: one message, or an array of messages, which is opened one level. */
export function decodeBatchBody(body: string, depthMax: number): Decoded<Batch> {
  const parsed = parseJson(body)
  if (!parsed.ok) return parsed
  const isArray = Array.isArray(parsed.value)
  if (depthOf(body) > depthMax + (isArray ? 1 : 0)) return tooDeep(depthMax)
  if (!isArray) return good({ text: body, count: 1 })
  const count = parsed.value.length
  return good(
    count === 0 ? EMPTY_BATCH : { text: body.slice(body.indexOf("[") + 1, body.lastIndexOf("]")), count },
  )
}

function tooDeep(depthMax: number): Decoded<never> {
  return bad(`Messages may nest ${depthMax} levels deep; one of these is deeper.`)
}

/** The messages of a batch that has been checked. @throws SyntaxError when it has not. */
export function parseBatch(text: string): unknown[] {
  return JSON.parse(`[${text}]`)
}

/** One batch of several, in order. Empty ones leave no trace. */
export function joinBatches(texts: readonly string[]): string {
  return texts.filter((text) => text !== "").join(",")
}

/**
 * Cuts a checked batch before its message number `count`, counted from 0: what comes before, and that message
 * with all after it. The comma between them is dropped. A batch with fewer messages stays whole.
 */
export function splitBatch(text: string, count: number): readonly [before: string, after: string] {
  if (count <= 0) return ["", text]
  const comma = commaNumber(text, count)
  return comma === -1 ? [text, ""] : [text.slice(0, comma), text.slice(comma + 1)]
}

/** The texts of a checked batch's messages, one after the other: joined by commas they are the batch. */
export function* messageTexts(text: string): Generator<string, void> {
  if (text.trim() === "") return
  let comma = -1
  do {
    const from = comma + 1
    comma = commaBehind(text, comma)
    yield text.slice(from, comma === -1 ? text.length : comma)
  } while (comma !== -1)
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPENING_BRACKET = 0x5b
const CLOSING_BRACKET = 0x5d
const OPENING_BRACE = 0x7b
const CLOSING_BRACE = 0x7d

/** Where the n-th comma between messages stands, counted from 1; -1 when there are fewer. */
function commaNumber(text: string, n: number): number {
  let comma = -1
  for (let left = n; left > 0; left--) {
    comma = commaBehind(text, comma)
    if (comma === -1) return -1
  }
  return comma
}

/** Where the next comma between messages stands, behind the one at `before`; -1 when there is none. */
function commaBehind(text: string, before: number): number {
  let depth = 0
  for (let at = before + 1; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) at = closingQuote(text, at)
    else if (unit === OPENING_BRACE || unit === OPENING_BRACKET) depth++
    else if (unit === CLOSING_BRACE || unit === CLOSING_BRACKET) depth--
    else if (unit === COMMA && depth === 0) return at
  }
  return -1
}

/** How deep arrays and objects nest in a text that parses: 0 for a bare number. */
export function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit === QUOTE) at = closingQuote(text, at)
    else if (unit === OPENING_BRACE || unit === OPENING_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (unit === CLOSING_BRACE || unit === CLOSING_BRACKET) depth--
  }
  return deepest
}

/**
 * Where the string that opens at `opening` closes. A quote after an odd number of backslashes is part of it.
 */
function closingQuote(text: string, opening: number): number {
  for (let at = text.indexOf('"', opening + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let slashes = 0
    while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return at
  }
  return text.length
}
