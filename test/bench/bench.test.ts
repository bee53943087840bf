import { describe, expect, test } from "vitest"
import { alternate, type Figure, figureOf, meetsTarget, ratio } from "./figure.ts"
import { covers, parseOptions } from "./options.ts"
import { table } from "./report.ts"
import { quantile, summarize } from "./statistics.ts"

const FIGURE: Figure = { what: "append", unit: "ms", ours: [3, 1, 2], raw: [1, 1, 1] }

describe("what the benchmark says of its samples", () => {
  test("[BENCH1] a quantile is a value that was measured", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(quantile(hundred, 0.5)).toBe(50)
    expect(quantile(hundred, 0.99)).toBe(99)
    expect(quantile([7], 0.99)).toBe(7)
    expect(quantile([], 0.5)).toBeNaN()
  })

  test("[BENCH2] rounds are told by their middle and their ends", () => {
    expect(summarize([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5 })
    expect(summarize([4, 1, 2, 3])).toEqual({ median: 2.5, min: 1, max: 4 })
  })

  test("[BENCH3] a ratio above 1 is worse than raw, for times and for rates", () => {
    expect(ratio(FIGURE)).toBe(2)
    expect(ratio({ ...FIGURE, unit: "events/s", ours: [10], raw: [30] })).toBe(3)
    expect(ratio({ ...FIGURE, raw: [] })).toBeUndefined()
    expect(ratio({ ...FIGURE, ours: [] })).toBeUndefined()
  })

  test.each([
    [{ atMost: 2 }, true],
    [{ atMost: 1.9 }, false],
    [{ atLeast: 2.1 }, false],
    [{ timesRaw: 2 }, true],
    [{ timesRaw: 1.5 }, false],
    [{ overRaw: 1 }, true],
    [{ overRaw: 0.9 }, false],
  ])("[BENCH4] the median is held against the target %j", (target, met) => {
    expect(meetsTarget({ ...FIGURE, target })).toBe(met)
    expect(table([{ ...FIGURE, target }])).toContain(met ? " met " : " missed ")
  })

  test("[BENCH5] both sides are measured in turn, raw first", async () => {
    const order: string[] = []
    const side = (name: string) => async (round: number) => {
      order.push(`${name}${round}`)
      return { ms: round }
    }
    const sides = await alternate(2, { raw: side("raw"), ours: side("ours") })
    expect(order).toEqual(["raw0", "ours0", "raw1", "ours1"])
    expect(figureOf(sides, "ms", { what: "x", unit: "ms" })).toEqual({
      what: "x",
      unit: "ms",
      ours: [0, 1],
      raw: [0, 1],
    })
    expect(figureOf(sides, "other", { what: "x", unit: "ms" }).raw).toEqual([])
  })

  test("[BENCH6] the table's columns stand under each other", () => {
    const lines = table([FIGURE, { ...FIGURE, what: "a longer name", ours: [12345.6], raw: [] }]).split("\n")
    expect(new Set(lines.map((line) => line.length)).size).toBe(1)
    expect(lines[2]).toMatch(/append +\| +2\.00 \| +2\.00 \| +1\.00-3\.00 \|/)
    expect(lines[3]).toContain(" 12346 |")
  })

  test("[BENCH7] options that mean nothing are refused by name", () => {
    const names = ["append", "size", "edge/append", "edge/read"]
    expect(parseOptions(["--only", "size,append", "--quick"], names)).toMatchObject({
      only: ["size", "append"],
      quick: true,
    })
    expect(() => parseOptions(["--only", "sise"], names)).toThrow(
      /append, size, edge\/append, edge\/read; sise/,
    )
    expect(() => parseOptions(["--fast"], names)).toThrow(/--fast/)
    expect(() => parseOptions(["--json"], names)).toThrow(/--json needs/)
  })

  test("[BENCH8] the name of a group stands for its metrics, and for no others", () => {
    const names = ["append", "edge/append", "edgeless"]
    const metrics = (only: string) => {
      parseOptions(["--only", only], names)
      return names.filter((name) => covers(only, name))
    }
    expect(metrics("edge")).toEqual(["edge/append"])
    expect(metrics("edge/append")).toEqual(["edge/append"])
    expect(metrics("append")).toEqual(["append"])
    expect(() => metrics("edge/")).toThrow(/edge\/ came/)
  })
})
