/** What several rounds of one measurement say: the middle, and how far the others lie from it. */
export type Summary = { readonly median: number; readonly min: number; readonly max: number }

/**
 * The value below which the given share of the samples lies: the nearest one that was measured, none in between.
 *
 * @param share 0.5 for the median, 0.99 for the slowest of a hundred.
 */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN
}

/** The middle round; of an even number of rounds, the mean of the two in the middle. */
export function summarize(rounds: readonly number[]): Summary {
  const sorted = [...rounds].sort((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
  const lower = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN
  return { median: (lower + upper) / 2, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN }
}
