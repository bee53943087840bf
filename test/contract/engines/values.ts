import fc from "fast-check"

/** JSON that has been trouble somewhere: each is the text of one value. */
const HOSTILE = [
  "null",
  "true",
  "false",
  "0",
  "-0",
  "1",
  "2",
  "-1",
  "1.5",
  "0.1",
  "-0.1",
  "1e400",
  "-1e400",
  "5e-324",
  "1e-7",
  "1e21",
  "123456.789",
  "0.30000000000000004",
  "9007199254740991",
  "9007199254740993",
  "-9007199254740993",
  "9223372036854775807",
  "1152921504606846976",
  `""`,
  `"a"`,
  `"A"`,
  `"b"`,
  `"it's"`,
  `"\\""`,
  `"a\\u0000b"`,
  `"\\ud800"`,
  `"x\\udc00y"`,
  `"\\ufeffa"`,
  `"é€\u{1f30a}"`,
  `"__proto__"`,
  `"1"`,
  `" 1 "`,
  `"1.0"`,
  `"-0"`,
  `"1e400"`,
  `"0x10"`,
  `"9007199254740993"`,
  `"9223372036854775807"`,
  `"99999999999999999999"`,
  `"now"`,
  `"2024-02-30"`,
  `"2024-05-05 12:00"`,
  `"%a%"`,
  `"[1, {\\"a\\": 2}]"`,
  `"{\\"a\\": 1e400}"`,
  `"[1"`,
  `"NULL"`,
  `"'; DROP TABLE t; --"`,
  "[]",
  "{}",
  `[1, "a", null, true, 1.5]`,
  `{"a": 1, "b": [2], "c": null}`,
  `{"__proto__": 1, "a": "x", "constructor": 2}`,
  `[{"a": 1}, {"a": 1}, {"a": "b"}]`,
  `{"a": 9007199254740993, "b": -0, "c": 0.1}`,
  `{"a": "\\u0000", "b": "\\ud800"}`,
  `${"[".repeat(60)}1${"]".repeat(60)}`,
] as const

/** The JSON text of a value that an event may carry. Small ones come often, so that keys meet again. */
export const jsonValue: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(`"a"`, `"b"`, "1", "2", `"A"`, "null", "1.5") },
  { weight: 5, arbitrary: fc.constantFrom(...HOSTILE) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 8 }).map((text) => JSON.stringify(text)) },
  { weight: 1, arbitrary: fc.double().map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.maxSafeInteger().map(String) },
  { weight: 1, arbitrary: fc.json({ maxDepth: 2 }) },
)

/** The JSON text of an event's data: mostly an object, whose fields are mostly there. */
export const jsonData: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.array(fc.option(jsonValue, { freq: 8 }), { minLength: 3, maxLength: 3 }).map((values) => {
      const fields = values.flatMap((value, at) => (value === null ? [] : [`"p${at}": ${value}`]))
      return `{${[...fields, `"__proto__": {"p0": 7}`].join(", ")}}`
    }),
  },
  { weight: 1, arbitrary: jsonValue },
)
