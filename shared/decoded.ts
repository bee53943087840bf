/** What a decoder answers. Bytes from outside are data, and bad data is an answer, not an exception. */
export type Decoded<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string }

export function good<T>(value: T): Decoded<T> {
  return { ok: true, value }
}

/** `reason` is a sentence that names what was expected and what came. */
export function bad(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason }
}

/** Parses JSON of any shape. */
export function parseJson(text: string): Decoded<unknown> {
  try {
    return good(JSON.parse(text))
  } catch (error) {
    return bad(`JSON was expected: ${error instanceof Error ? error.message : String(error)}.`)
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Whether a value is a whole number from 0 to 2^53-1. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 // an integer is a number
}
