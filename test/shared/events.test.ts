import { describe, expect, test } from "vitest"
import { z } from "zod"
import { HeadwaterError } from "../../shared/errors.ts"
import { defineStream, type EventAttributes, encodeEvent, isEvent, utf8Length } from "../../shared/events.ts"
import type { EventId } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"

const orders = defineStream({
  "order.placed": z.object({ order: z.string(), lines: z.array(z.object({ quantity: z.int() })) }),
  "note.made": z.object({ text: z.string(), colour: z.string().default("blue") }),
})

function attributes(type: string): EventAttributes {
  return { id: "e1" as EventId, type, source: "device", time: "2026-01-02T03:04:05.678Z" }
}

function refusal(act: () => unknown): HeadwaterError {
  try {
    act()
  } catch (error) {
    if (error instanceof HeadwaterError) return error
    throw error
  }
  throw new Error("nothing was refused")
}

describe("events", () => {
  test("[EVENT1] an event is written as JSON with its attributes and the data that its schema gives", () => {
    const text = encodeEvent(orders, attributes("note.made"), { text: "hi", unknown: 1 })
    expect(JSON.parse(text)).toEqual({ ...attributes("note.made"), data: { text: "hi", colour: "blue" } })
  })

  test("[EVENT2] data that does not fit is refused with type, place, what was expected and what came", () => {
    const data = { order: "o", lines: [{ quantity: 1 }, { quantity: "two" }] }
    const error = refusal(() => encodeEvent(orders, attributes("order.placed"), data))
    expect(error.code).toBe("invalid-event")
    expect(error.message).toContain("order.placed")
    expect(error.message).toContain("data.lines.1.quantity")
    expect(error.message).toMatch(/expected .*received string/i)
  })

  test.each(["order.shipped", "toString", "__proto__"])(
    "[EVENT2] the unknown type %s is refused with the known ones",
    (type) => {
      const error = refusal(() => encodeEvent(orders, attributes(type), {}))
      expect(error.code).toBe("invalid-event")
      expect(error.message).toContain("order.placed, note.made")
      expect(error.message).toContain(type)
    },
  )

  test("[EVENT3] an event may have the limit of bytes as UTF-8, and not one more", () => {
    const empty = utf8Length(encodeEvent(orders, attributes("note.made"), { text: "", colour: "" }))
    const text = "é".repeat((LIMITS.eventBytesMax - empty) / 2)
    const padding = (LIMITS.eventBytesMax - empty) % 2 === 0 ? "" : "x"
    expect(utf8Length(encodeEvent(orders, attributes("note.made"), { text, colour: padding }))).toBe(
      LIMITS.eventBytesMax,
    )
    const error = refusal(() => encodeEvent(orders, attributes("note.made"), { text, colour: `${padding}x` }))
    expect(error.message).toContain(String(LIMITS.eventBytesMax))
    expect(error.message).toContain(String(LIMITS.eventBytesMax + 1))
  })

  test("[EVENT2] data that is no JSON is refused", () => {
    const any = defineStream({ any: z.unknown() })
    expect(refusal(() => encodeEvent(any, attributes("any"), 1n)).message).toContain("JSON")
    expect(refusal(() => encodeEvent(any, attributes("any"), undefined)).message).toContain("undefined")
  })

  test("[EVENT2] a schema that answers later is refused, since an event is stored in the turn of its append", () => {
    const slow = defineStream({ slow: z.object({}).refine(async () => true) })
    expect(() => encodeEvent(slow, attributes("slow"), {})).toThrow()
  })

  test.each([
    ["no types", {}],
    ["a type with a space", { "a b": z.string() }],
    ["no schema", { a: null }],
    ["a schema of no standard", { a: { parse() {} } }],
  ])("[EVENT4] a definition with %s is refused when it is made", (_name, events) => {
    expect(refusal(() => defineStream(events as never)).code).toBe("invalid-definition")
  })

  test("[EVENT5] any JSON may stand in a log; events of ours have an id and a type", () => {
    expect(isEvent({ id: "1", type: "t" })).toBe(true)
    for (const other of [null, 1, "text", [], {}, { id: "1" }, { id: 1, type: "t" }])
      expect(isEvent(other)).toBe(false)
  })

  test.each(["", "ascii", "é", "€", "😀", "a\ud800b", "\udfff"])(
    "the length of %j is that of its UTF-8",
    (text) => {
      const wellFormed = text.isWellFormed() ? new TextEncoder().encode(text).length : undefined
      if (wellFormed !== undefined) expect(utf8Length(text)).toBe(wellFormed)
      else expect(utf8Length(text)).toBeGreaterThanOrEqual(text.length)
    },
  )
})
