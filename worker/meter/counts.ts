import { isRecord, parseJson } from "../../shared/decoded.ts"

/** What is counted of a stream's use. Bytes are those of messages, without headers of requests and frames. */
export const COUNTED = [
  "rowsRead",
  "rowsWritten",
  /** Of the stream's object: calls and upgrades from the edge, and alarms. */
  "requests",
  "framesIn",
  "framesOut",
  "bytesIn",
  "bytesOut",
  /** Appends that added something. */
  "appends",
  "messages",
  /** How often the object came into memory. */
  "wakes",
] as const

export type Counted = (typeof COUNTED)[number]

export type Counts = { readonly [Name in Counted]: number }

export type MutableCounts = { -readonly [Name in Counted]: number }

export function noCounts(): MutableCounts {
  return {
    rowsRead: 0,
    rowsWritten: 0,
    requests: 0,
    framesIn: 0,
    framesOut: 0,
    bytesIn: 0,
    bytesOut: 0,
    appends: 0,
    messages: 0,
    wakes: 0,
  }
}

export function addCounts(to: MutableCounts, more: Counts): void {
  for (const name of COUNTED) to[name] += more[name]
}

/** What was counted up to a moment of a day: in all, and on that day of UTC. */
export type Tally = { readonly day: number; readonly total: Counts; readonly today: Counts }

/*
 * A tally in a column: {"d":20781,"a":[...],"t":[...]}, the day, all counts and those of the day, in the order of
 * COUNTED. It stands in every batch's row and counts in the last one, so it is short.
 */

export function writeTally({ day, total, today }: Tally): string {
  return JSON.stringify({ d: day, a: valuesOf(total), t: valuesOf(today) })
}

/** Reads what `writeTally` wrote. Counts that are not there are 0: an older edge did not know them. */
export function readTally(text: string): Tally | undefined {
  const parsed = parseJson(text)
  if (!parsed.ok || !isRecord(parsed.value)) return undefined
  const { d, a, t } = parsed.value
  return { day: countIn(d), total: countsOf(a), today: countsOf(t) }
}

function valuesOf(counts: Counts): number[] {
  return COUNTED.map((name) => counts[name])
}

function countsOf(values: unknown): Counts {
  const counts = noCounts()
  if (Array.isArray(values)) for (const [at, name] of COUNTED.entries()) counts[name] = countIn(values[at])
  return counts
}

function countIn(value: unknown): number {
  return typeof value === "number" && value >= 0 ? value : 0
}
