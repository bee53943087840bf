import fc from "fast-check"
import type { ViewData } from "../../../shared/view/definition.ts"
import { jsonData } from "./values.ts"

/*
 * A view whose meaning is easily said: values by their key, and how often each was set. The fold below is that
 * meaning in TypeScript, written from docs/protocol.md and not from the code under test.
 */

export const PLAIN_VIEW: ViewData = {
  one: {
    tables: ["CREATE TABLE kept (id ANY PRIMARY KEY, value ANY, times INTEGER) STRICT, WITHOUT ROWID"],
    on: {
      made: [
        `INSERT INTO kept VALUES (:p0, :p1, 1)
          ON CONFLICT (id) DO UPDATE SET value = excluded.value, times = times + 1`,
      ],
      "made@2": ["UPDATE kept SET value = :p1, times = times + 1 WHERE id = :p0"],
      gone: ["DELETE FROM kept WHERE id = :p0"],
    },
  },
}

/** Messages as JSON texts. */
export const plainMessages: fc.Arbitrary<string[]> = fc.array(
  fc
    .tuple(fc.constantFrom("made", "made", "made", "made@2", "gone", "unknown"), jsonData, fc.nat({ max: 9 }))
    .map(([type, data, chance]) => (chance === 0 ? data : `{"id":"e","type":"${type}","data":${data}}`)),
  { maxLength: 20 },
)

/** The lines of [VIEW15] that the table has after these messages. A key that is NULL halts. */
export function plainLines(texts: readonly string[]): string[] {
  const kept = new Map<string, { value: string; times: number }>()
  for (const text of texts) {
    const message: unknown = JSON.parse(text)
    if (typeof message !== "object" || message === null) continue
    const { id, type, data } = message as Record<string, unknown>
    if (typeof id !== "string") continue
    const [key, value] = [lineOf(fieldOf(data, "p0")), lineOf(fieldOf(data, "p1"))]
    const known = kept.get(key)
    if (type === "made" && key === "n") break
    if (type === "made") kept.set(key, { value, times: (known?.times ?? 0) + 1 })
    else if (type === "made@2" && known !== undefined) kept.set(key, { value, times: known.times + 1 })
    else if (type === "gone") kept.delete(key)
  }
  return [...kept].map(([key, { value, times }]) => `${key},${value},i${times}`).sort()
}

function fieldOf(data: unknown, name: string): unknown {
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined
  return Object.entries(data).find(([own]) => own === name)?.[1]
}

function lineOf(value: unknown): string {
  if (value === undefined || value === null) return "n"
  if (typeof value === "boolean") return value ? "i1" : "i0"
  if (typeof value === "number") {
    if (Number.isSafeInteger(value)) return `i${value === 0 ? 0 : value}`
    const bytes = new Uint8Array(new Float64Array([value]).buffer).reverse()
    return `r${hex(bytes)}`
  }
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return `t${hex(new TextEncoder().encode(text)).toUpperCase()}` // which writes U+FFFD for half a pair
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
}
