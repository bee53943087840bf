import { summarize } from "./statistics.ts"

export type Unit = "ms" | "events/s" | "MB/s" | "kB" | "MB"

/** What one metric found: ours and the raw operation of the same kind, one value for each round. */
export type Figure = {
  readonly what: string
  readonly unit: Unit
  readonly ours: readonly number[]
  /** Empty where nothing is comparable. */
  readonly raw: readonly number[]
  /** For people. The table says whether the median meets it when it is a number in the figure's unit. */
  readonly target?: Target
}

/**
 * `atMost`, `atLeast` and `overRaw` are in the figure's unit; `timesRaw` and `overRaw` compare with the raw operation.
 */
export type Target =
  | { readonly atMost: number }
  | { readonly atLeast: number }
  | { readonly timesRaw: number }
  | { readonly overRaw: number }

/** One round of one side: named values. */
export type Sample = Readonly<Record<string, number>>

export type Sides = { readonly raw: readonly Sample[]; readonly ours: readonly Sample[] }

/** How many times the effort of the raw operation ours takes: 1 is as good as raw. Undefined when a side is missing. */
export function ratio({ unit, ours, raw }: Figure): number | undefined {
  if (raw.length === 0 || ours.length === 0) return undefined
  const [mine, floor] = [summarize(ours).median, summarize(raw).median]
  return unit.endsWith("/s") ? floor / mine : mine / floor
}

export function meetsTarget(figure: Figure): boolean | undefined {
  const { target, ours, raw } = figure
  if (target === undefined) return undefined
  if ("timesRaw" in target) return (ratio(figure) ?? Number.NaN) <= target.timesRaw
  const { median } = summarize(ours)
  if ("overRaw" in target) return median <= summarize(raw).median + target.overRaw
  return "atMost" in target ? median <= target.atMost : median >= target.atLeast
}

/** The figure of one named value of both sides. A name that a side has no value for gives it no rounds. */
export function figureOf(sides: Sides, name: string, rest: Pick<Figure, "what" | "unit" | "target">): Figure {
  const rounds = (samples: readonly Sample[]) =>
    samples.map((sample) => sample[name]).filter((value) => value !== undefined)
  return { ...rest, ours: rounds(sides.ours), raw: rounds(sides.raw) }
}

/** Measures both sides in turn, raw first, so that whatever else the machine does strikes both alike. */
export async function alternate(
  rounds: number,
  measure: { raw(round: number): Promise<Sample>; ours(round: number): Promise<Sample> },
): Promise<Sides> {
  const raw: Sample[] = []
  const ours: Sample[] = []
  for (let round = 0; round < rounds; round++) {
    raw.push(await measure.raw(round))
    ours.push(await measure.ours(round))
  }
  return { raw, ours }
}
