import { expect, test } from "vitest"
import { functionsIn, read, sourceFiles, withoutComments } from "./support/sources.ts"

/**
 * A ratchet: lower these when the worst offender improves, never raise them. The formatter breaks code at 110 columns;
 * this is about what it leaves alone: prose.
 */
const MAX = { fileLines: 300, testFileLines: 400, functionLines: 70, columns: 120 } as const

const PLACES = ["shared", "client", "worker", "demo", "scripts", "test"]
const files = PLACES.flatMap(sourceFiles)
const UNFINISHED = new RegExp(
  ["TO" + "DO", "FIX" + "ME", "X" + "XX"].map((word) => `\\b${word}\\b`).join("|"),
)
const IMPURE = new RegExp(
  [
    "\\bDate\\.now|\\bnew Date\\(\\)|\\bperformance\\b|\\bset(?:Timeout|Interval)\\b", // clock
    "\\bMath\\.random|\\bcrypto\\b", // chance
    "\\bfetch\\(|\\bindexedDB\\b|\\bconsole\\b", // I/O
  ].join("|"),
)
const TITLE = /^\s*(?:test|it|describe)(?:\.\w+)*\(|^\s*["`]\[/ // a sentence that no formatter can break
const SUITE = /^export function describe[A-Z]/ // a contract: many tests in one function
const MAY_SLEEP = /^test\/bench\/|^test\/tidy\.test\.ts$/ // a benchmark measures timers; this file quotes one
const SLEEP = /\bsetTimeout\(\s*(?:resolve|done|\(\) => (?:resolve|done)\(\))\s*,/

test("[TIDY1] a file fits on the desk", () => {
  const long = files
    .map((file) => ({ file, lines: read(file).trimEnd().split("\n").length }))
    .filter(({ file, lines }) => lines > (file.startsWith("test/") ? MAX.testFileLines : MAX.fileLines))
  expect(long).toEqual([])
})

test("[TIDY2] a function fits on the screen", () => {
  const long = files.flatMap((file) =>
    functionsIn(read(file))
      .filter(
        ({ name, lines }) => lines > MAX.functionLines && !(file.startsWith("test/") && SUITE.test(name)),
      )
      .map((found) => ({ file, ...found })),
  )
  expect(long).toEqual([])
})

test("[TIDY3] a line fits beside another", () => {
  const isLong = (line: string): boolean => line.length > MAX.columns && !TITLE.test(line)
  expect(files.flatMap((file) => linesThat(file, isLong))).toEqual([])
})

test("[TIDY4] nothing is left for later", () => {
  expect(files.flatMap((file) => linesThat(file, (line) => UNFINISHED.test(line)))).toEqual([])
})

test("[TIDY5] shared code has no clock, chance or I/O", () => {
  const impure = sourceFiles("shared").filter((file) => IMPURE.test(withoutComments(read(file))))
  expect(impure).toEqual([])
})

test("[TIDY6] no test sleeps: it waits for what it is about", () => {
  const own = files.filter((file) => file.startsWith("test/") && !MAY_SLEEP.test(file))
  expect(own.filter((file) => SLEEP.test(withoutComments(read(file))))).toEqual([])
})

test("[TIDY0] the rules can be broken", () => {
  const body = Array.from({ length: MAX.functionLines }, () => "  work()")
  const written = [`async function long(a: number): Promise<void> {`, ...body, "}"].join("\n")
  expect(functionsIn(written)).toEqual([{ name: expect.any(String), line: 1, lines: MAX.functionLines + 2 }])
  const method = ["class A {", "  method(", "    a: number,", "  ): void {", "    work()", "  }", "}"].join(
    "\n",
  )
  expect(functionsIn(method).map(({ line, lines }) => [line, lines])).toEqual([[4, 3]])
  expect(functionsIn("const f = (a) => {\n  work()\n}")).toHaveLength(1)
  expect(functionsIn("if (a(b)) {\n  work()\n}")).toHaveLength(0)
  expect("x = Date.now()").toMatch(IMPURE)
  expect("await new Promise((resolve) => setTimeout(resolve, 50))").toMatch(SLEEP)
  expect(`// ${"TO"}${"DO"} later`).toMatch(UNFINISHED)
})

function linesThat(file: string, isOffence: (line: string) => boolean): string[] {
  return read(file)
    .split("\n")
    .flatMap((line, index) => (isOffence(line) ? [`${file}:${index + 1}`] : []))
}
