import { bad, type Decoded, good, isRecord } from "../decoded.ts"
import type { SqlValue } from "../sql.ts"

/*
 * What SQLite stores as JSON carries it: null, numbers and texts as they are. What JSON has no form for is an object
 * with one field that says what it is:
 *
 *   {"integer": "9007199254740993"}   a whole number that a double does not hold
 *   {"real": "Infinity"}              one of Infinity, -Infinity and -0
 *   {"blob": "00ff"}                  bytes in hexadecimal
 */

export type JsonValue = null | number | string | { readonly [kind in "integer" | "real" | "blob"]?: string }

const REALS: ReadonlyMap<string, number> = new Map([
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
])
const INTEGER = /^-?[0-9]{1,19}$/
const BLOB = /^(?:[0-9a-f]{2})*$/
const INTEGER_MIN = -(2n ** 63n)
const INTEGER_MAX = 2n ** 63n - 1n

export function toJsonValue(value: SqlValue): JsonValue {
  switch (typeof value) {
    case "bigint":
      return { integer: value.toString() }
    case "number":
      if (Object.is(value, -0)) return { real: "-0" }
      return Number.isFinite(value) ? value : { real: String(value) }
    case "object":
      return value === null ? null : { blob: hex(value) }
    default:
      return value
  }
}

/** Reads what `toJsonValue` wrote, and booleans as 1 and 0. */
export function fromJsonValue(value: unknown): Decoded<SqlValue> {
  if (value === null || typeof value === "number" || typeof value === "string") return good(value)
  if (typeof value === "boolean") return good(value ? 1 : 0)
  const [entry, ...others] = isRecord(value) ? Object.entries(value) : []
  const [kind, text] = entry ?? []
  if (others.length === 0 && typeof text === "string") {
    const read = readMarked(kind ?? "", text)
    if (read !== undefined) return good(read)
  }
  const marked = `{"integer": "..."}, {"real": "..."} or {"blob": "..."}`
  return bad(`a value is null, a boolean, a number, a text, ${marked}; ${show(value)} came`)
}

function readMarked(kind: string, text: string): SqlValue | undefined {
  if (kind === "real") return REALS.get(text)
  if (kind === "blob" && BLOB.test(text)) return bytes(text)
  if (kind !== "integer" || !INTEGER.test(text)) return undefined
  const whole = BigInt(text)
  if (whole < INTEGER_MIN || whole > INTEGER_MAX) return undefined
  const number = Number(whole)
  return Number.isSafeInteger(number) ? number : whole
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  )
}

function show(value: unknown): string {
  return JSON.stringify(value)?.slice(0, 80) ?? typeof value
}
