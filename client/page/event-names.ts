import type { EventId } from "../../shared/ids.ts"

/** Ids made at once: a question to the browser takes as long as making dozens of them. */
const POOL_IDS = 64
const ID_BYTES = 16
const ID_LENGTH = 36

/** Bytes of an id with a hyphen before them. */
const isPartStart = (byte: number) => byte === 4 || byte === 6 || byte === 8 || byte === 10
const HYPHEN = 0x2d
const DIGITS = Uint8Array.from("0123456789abcdef", (digit) => digit.charCodeAt(0))

let ids = ""
let given = 0

/** A random UUID (version 4), as `crypto.randomUUID` makes it in ten times as long: apps append thousands at once. */
export function newEventId(): EventId {
  if (given === ids.length) {
    ids = randomUuids(POOL_IDS)
    given = 0
  }
  given += ID_LENGTH
  return ids.slice(given - ID_LENGTH, given) as EventId // a fresh UUID names one event
}

/** One text, of which each UUID is a slice: putting each together from its digits takes several times as long. */
function randomUuids(count: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(count * ID_BYTES))
  const characters = new Uint8Array(count * ID_LENGTH)
  let at = 0
  for (let read = 0; read < bytes.length; read++) {
    const place = read % ID_BYTES
    if (isPartStart(place)) characters[at++] = HYPHEN
    const byte = versioned(bytes[read] ?? 0, place)
    characters[at++] = DIGITS[byte >> 4] ?? 0
    characters[at++] = DIGITS[byte & 0x0f] ?? 0
  }
  return new TextDecoder().decode(characters)
}

/** Two bytes of an id say that it is random: version 4, and the variant of RFC 9562. */
function versioned(byte: number, place: number): number {
  if (place === 6) return (byte & 0x0f) | 0x40
  return place === 8 ? (byte & 0x3f) | 0x80 : byte
}

let lastMs = Number.NaN
let lastTime = ""

/** Now, as events say it: RFC 3339 in UTC with milliseconds. Events of one millisecond share the text. */
export function timeNow(): string {
  const now = Date.now()
  if (now !== lastMs) {
    lastMs = now
    lastTime = new Date(now).toISOString()
  }
  return lastTime
}
