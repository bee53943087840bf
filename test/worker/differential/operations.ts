import fc from "fast-check"

/** What one append says. Numbers are texts, as in headers; a frame holds those that are numbers as such. */
export type Append = {
  readonly kind: "append"
  readonly producer?: { readonly id?: string; readonly epoch?: string; readonly seq?: string }
  readonly streamSeq?: string
  readonly contentType?: string
  readonly close: boolean
  /** In a JSON stream a batch without brackets. */
  readonly body: string | Uint8Array<ArrayBuffer>
}

/** Reads from one of the places that are known by then, counted round; or from one that is none. */
export type Read = { readonly kind: "read"; readonly from: number | "-1" | "now" | "garbage" }

export type Operation = Append | Read

export type Sequence = {
  readonly contentType: string
  readonly operations: readonly Operation[]
  /** Whether another stream is made under the name when this one is deleted. */
  readonly again: boolean
}

const jsonBody = fc
  .array(
    fc.oneof(
      { weight: 3, arbitrary: fc.json({ maxDepth: 3 }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom("1.0", "1e2", `"\\u0000"`, `"é😀"`, ` {"a":"],["} `, "[]", `"\\n"`),
      },
      {
        weight: 1,
        arbitrary: fc.constantFrom("{", "", " ", "[1] , [2]", "1],[2", "\n1\n", "nul", `"\\ud800"`),
      },
    ),
    { maxLength: 4 },
  )
  .map((messages) => messages.join(","))

const textBody = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.constantFrom("", "\n", "\r\n\n", "data: x\n\n", "{}"),
)

const bytesBody = fc.uint8Array({ maxLength: 20 }).map((bytes) => Uint8Array.from(bytes))

const count = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom("0", "1", "2", "3", "4") },
  {
    weight: 1,
    arbitrary: fc.constantFrom("9007199254740991", "9007199254740992", "-1", "1.5", "x", "1e1", "0x1"),
  },
)

const producer = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      id: fc.constantFrom("p", "q"),
      epoch: fc.constantFrom("0", "0", "0", "1"),
      seq: count,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record(
      { id: fc.constantFrom("p", "", "x".repeat(256), "x".repeat(257), "a b~"), epoch: count, seq: count },
      { requiredKeys: [] },
    ),
  },
)

function append(contentType: string, body: fc.Arbitrary<Append["body"]>): fc.Arbitrary<Append> {
  return fc.record(
    {
      kind: fc.constant("append"),
      producer,
      streamSeq: fc.constantFrom("a", "b", "c", "d", "a1", "~"),
      contentType: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(contentType, `${contentType.toUpperCase()}; charset=utf-8`) },
        { weight: 1, arbitrary: fc.constantFrom("application/xml", "text/html", "?") },
      ),
      close: fc.oneof(
        { weight: 15, arbitrary: fc.constant(false) },
        { weight: 1, arbitrary: fc.constant(true) },
      ),
      body,
    },
    { requiredKeys: ["kind", "close", "body"] },
  )
}

const read: fc.Arbitrary<Read> = fc.record({
  kind: fc.constant("read"),
  from: fc.oneof(
    { weight: 6, arbitrary: fc.nat({ max: 40 }) },
    { weight: 2, arbitrary: fc.constantFrom("-1", "now") },
    { weight: 1, arbitrary: fc.constant("garbage" as const) },
  ),
})

function sequenceOf(contentType: string, body: fc.Arbitrary<Append["body"]>): fc.Arbitrary<Sequence> {
  const operation = fc.oneof(
    { weight: 3, arbitrary: append(contentType, body) },
    { weight: 1, arbitrary: read },
  )
  return fc.record({
    contentType: fc.constant(contentType),
    operations: fc.array(operation, { minLength: 1, maxLength: 12 }),
    again: fc.constantFrom(true, false, false, false),
  })
}

/** What is done to two streams alike, of every kind of stream. */
export const sequence: fc.Arbitrary<Sequence> = fc.oneof(
  { weight: 3, arbitrary: sequenceOf("application/json", jsonBody) },
  { weight: 1, arbitrary: sequenceOf("text/plain", textBody) },
  { weight: 1, arbitrary: sequenceOf("application/octet-stream", bytesBody) },
)
