import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { decodeEventLine, LineCutter, toLine } from "../../shared/ndjson.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

const event = (id: string) => JSON.stringify({ id, type: "t", data: { n: 1.0 } })

test("[MOVE1] a message with line breaks between its tokens is one line, and says the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("\n", "\r\n", "\r"), (value, end) => {
      const text = JSON.stringify(value, null, 2).replaceAll("\n", end)
      const line = toLine(text)
      expect(line.indexOf("\n")).toBe(line.length - 1)
      expect(line.includes("\r")).toBe(false)
      expect(JSON.parse(line)).toEqual(JSON.parse(text))
    }),
  )
})

test("[MOVE1] a message without line breaks is its line, byte for byte", () => {
  expect(toLine(`{"b": 1.00,"a":"\\u00e9\\n"}`)).toBe(`{"b": 1.00,"a":"\\u00e9\\n"}\n`)
})

test("[MOVE2] lines are the same wherever the pieces of a text begin and end", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom("a", "é", "\n", "\r") })), (pieces) => {
      const cutter = new LineCutter()
      const lines = [...pieces.flatMap((piece) => [...cutter.cut(piece)]), ...cutter.end()]
      const whole = pieces.join("")
      expect(lines).toEqual(
        (whole.endsWith("\n") ? whole.slice(0, -1) : whole).split("\n").slice(whole === "" ? 1 : 0),
      )
    }),
  )
})

describe("a line of an import", () => {
  test("[MOVE4] is an event byte for byte, without the blanks around it", () => {
    const text = `{"type":"t","id":"a", "data":1.00}`
    expect(decodeEventLine(` ${text}\r`)).toEqual({ ok: true, value: { id: "a", text, bytes: text.length } })
  })

  test.each([
    ["no JSON", "{", /^JSON was expected/],
    ["two events", `${event("a")},${event("b")}`, /^JSON was expected/],
    ["a number", "7", /a number came/],
    ["null", "null", /null came/],
    ["an array", `[${event("a")}]`, /an array came/],
    ["without an id", `{"type":"t"}`, /an object without them came/],
    ["with a number for an id", `{"id":1,"type":"t"}`, /an object without them came/],
    [
      "too large",
      JSON.stringify({ id: "a", type: "t", data: "é".repeat(LIMITS.eventBytesMax / 2) }),
      /bytes; this one/,
    ],
    [
      "too deep",
      `{"id":"a","type":"t","data":${"[".repeat(64)}${"]".repeat(64)}}`,
      /64 levels deep; this one has 65/,
    ],
    ["text that UTF-8 cannot write", `{"id":"a","type":"\ud800"}`, /half of a surrogate pair/],
  ])("[MOVE5] that is %s is refused, and the reason says what came", (_name, line, reason) => {
    expect(decodeEventLine(line)).toEqual({ ok: false, reason: expect.stringMatching(reason) })
  })

  test("[MOVE4] may hold any character that UTF-8 can write", () => {
    expect(decodeEventLine(JSON.stringify({ id: "🎉", type: "t", data: "é\u2028" })).ok).toBe(true)
  })
})
