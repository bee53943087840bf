import { type Figure, meetsTarget, ratio, type Target } from "./figure.ts"
import { summarize } from "./statistics.ts"

const HEADINGS = ["what", "ratio", "ours", "min-max", "raw", "min-max", "unit", "target"] as const

/** The figures as a table of plain text, aligned for a terminal and valid as Markdown. */
export function table(figures: readonly Figure[]): string {
  const rows = figures.map(cells)
  const widths = HEADINGS.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  const cellAt = (cell: string, at: number) =>
    at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)
  const line = (row: readonly string[]) => `| ${row.map(cellAt).join(" | ")} |`
  const ruleAt = (width: number, at: number) =>
    at === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`
  const rule = `|${widths.map(ruleAt).join("|")}|`
  return [line(HEADINGS), rule, ...rows.map(line)].join("\n")
}

function cells(figure: Figure): string[] {
  const times = ratio(figure)
  return [
    figure.what,
    times === undefined ? "" : times.toFixed(2),
    ...spread(figure.ours),
    ...spread(figure.raw),
    figure.unit,
    verdict(figure),
  ]
}

function spread(rounds: readonly number[]): [median: string, range: string] {
  if (rounds.length === 0) return ["", ""]
  const { median, min, max } = summarize(rounds)
  return [number(median), rounds.length === 1 ? "" : `${number(min)}-${number(max)}`]
}

/** Three digits that mean something. */
function number(value: number): string {
  if (!Number.isFinite(value)) return "-"
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  return value.toFixed(digits)
}

function verdict(figure: Figure): string {
  if (figure.target === undefined) return ""
  return `${targetText(figure.target)} ${meetsTarget(figure) ? "met" : "missed"}`
}

function targetText(target: Target): string {
  if ("timesRaw" in target) return `<= ${target.timesRaw}x raw`
  if ("overRaw" in target) return `<= raw + ${target.overRaw}`
  return "atMost" in target ? `<= ${target.atMost}` : `>= ${target.atLeast}`
}
