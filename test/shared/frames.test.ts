import fc from "fast-check"
import { expect, test } from "vitest"
import {
  type AppendFrame,
  decodeClientFrame,
  decodeEdgeFrame,
  type EdgeFrame,
  encodeAppendFrame,
  encodeEdgeFrame,
  type FrameData,
} from "../../shared/frames.ts"
import { LIMITS } from "../../shared/limits.ts"
import { type Offset, parseOffset } from "../../shared/offset.ts"

fc.configureGlobal({ seed: 2026 }) // the same cases on every machine

const text = fc.string({ unit: "binary" }).filter((one) => one.isWellFormed())
const bytes = fc.uint8Array({ maxLength: 50 }).map((one) => Uint8Array.from(one))
const body = fc.oneof(text, bytes)
const count = fc.maxSafeNat()
const offset = fc.stringMatching(/^[a-z0-9_]{1,20}$/).map((one) => parseOffset(one) as Offset)

const append: fc.Arbitrary<AppendFrame> = fc.record(
  {
    t: fc.constant("append" as const),
    id: count,
    producer: text,
    epoch: count,
    seq: count,
    streamSeq: text,
    close: fc.boolean(),
    contentType: text,
    body,
  },
  { requiredKeys: ["t", "id", "body"] },
)

const flags = { upToDate: fc.boolean(), closed: fc.boolean() }
const edge: fc.Arbitrary<EdgeFrame> = fc.oneof(
  fc.record({ t: fc.constant("data" as const), from: offset, next: offset, ...flags, body }),
  fc.record({ t: fc.constant("control" as const), next: offset, ...flags }),
  fc.record({ t: fc.constant("behind" as const), next: offset }),
  fc.record({ t: fc.constant("pong" as const) }),
  fc.record(
    {
      t: fc.constant("reply" as const),
      id: count,
      status: fc.integer({ min: 200, max: 599 }),
      headers: fc.dictionary(fc.stringMatching(/^[a-z-]{1,9}$/), text, { noNullPrototype: true }),
      from: offset,
      message: text,
    },
    { requiredKeys: ["t", "id", "status", "headers"] },
  ),
)

/** An empty body leaves no trace of whether it was text or bytes, and needs none. */
function sameBody(one: string | Uint8Array, other: string | Uint8Array): void {
  if (one.length === 0) expect(other.length).toBe(0)
  else expect(other).toEqual(one)
}

test("[FRAME1] what a client writes, the edge reads: the body byte for byte", () => {
  fc.assert(
    fc.property(append, ({ body, t, id, ...fields }) => {
      const decoded = decodeClientFrame(encodeAppendFrame({ body, t, id, ...fields }))
      if (!decoded.ok) throw new Error(decoded.reason)
      expect(decoded.value.id).toBe(id)
      expect(decoded.value.fields).toEqual({ t, id, ...fields })
      sameBody(body, decoded.value.body)
    }),
  )
})

test("[FRAME1] what the edge writes, a client reads: the body byte for byte", () => {
  fc.assert(
    fc.property(edge, (frame) => {
      const decoded = decodeEdgeFrame(encodeEdgeFrame(frame))
      if (!decoded.ok) throw new Error(decoded.reason)
      const bodies =
        frame.t === "data" && decoded.value.t === "data"
          ? ([frame.body, decoded.value.body] as const)
          : (["", ""] as const)
      sameBody(...bodies)
      expect({ ...decoded.value, body: "" }).toEqual({ ...frame, body: "" })
    }),
  )
})

test("[FRAME2] a header is one line of ASCII, whatever its fields hold", () => {
  const frame = encodeAppendFrame({ t: "append", id: 1, producer: "é\n\u2028😀", body: "[\n]" })
  expect(frame).toBe(`{"t":"append","id":1,"producer":"\\u00e9\\n\\u2028\\ud83d\\ude00"}\n[\n]`)
})

test("[FRAME2] a header of bytes is read as UTF-8", () => {
  const frame = new TextEncoder().encode(`{"t":"append","id":1,"producer":"é😀"}\n\u00ff`)
  expect(decodeClientFrame(frame)).toMatchObject({ ok: true, value: { fields: { producer: "é😀" } } })
  expect(decodeClientFrame(frame.buffer)).toMatchObject({ ok: true })
})

test("[FRAME3] no bytes make a decoder throw", () => {
  const frame: fc.Arbitrary<FrameData> = fc.oneof(
    text,
    bytes,
    fc.json(),
    fc.json().map((one) => `{"t":"reply",${one}`),
  )
  fc.assert(
    fc.property(frame, (data) => {
      expect(decodeClientFrame(data)).toHaveProperty("ok")
      expect(decodeEdgeFrame(data)).toHaveProperty("ok")
    }),
    { numRuns: 1_000 },
  )
})

test("[FRAME3] a header has a bound", () => {
  const long = "x".repeat(LIMITS.frameHeaderBytesMax)
  expect(decodeClientFrame(`{"t":"append","id":1,"x":"${long}"}\n1`).ok).toBe(false)
  expect(decodeClientFrame(new TextEncoder().encode(long)).ok).toBe(false)
})

test("[FRAME4] a client passes over what it does not know", () => {
  const frame = `{"t":"control","next":"5","upToDate":true,"later":[1]}`
  expect(decodeEdgeFrame(frame)).toEqual({
    ok: true,
    value: { t: "control", next: "5", upToDate: true, closed: false },
  })
  expect(decodeEdgeFrame(`{"t":"other","next":"5"}`)).toMatchObject({ ok: false })
})
