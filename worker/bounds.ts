import { bad, type Decoded, good } from "../shared/decoded.ts"
import { type Bounds, LIMITS } from "../shared/limits.ts"

/** What an operator may set, and between what: beyond it the platform, or a rule of ours, would break. */
const SETTABLE = {
  appendBytesMax: [1, LIMITS.appendBytesMax],
  readBytesMax: [1, 32 * 1024 * 1024],
  jsonDepthMax: [1, 1_000],
  longPollMsMax: [1, 120_000],
  sseMsMax: [1_000, 3_600_000],
  segmentBytes: [1, 64 * 1024 * 1024],
  hotBytesMin: [0, 1024 * 1024 * 1024],
  socketCatchUpBytesMax: [0, 16 * 1024 * 1024],
  upkeepRetryMs: [100, 3_600_000],
} as const satisfies Partial<Record<keyof Bounds, readonly [least: number, most: number]>>

/** The variable of wrangler.toml that sets a bound: `appendBytesMax` is `APPEND_BYTES_MAX`. */
export function variableOf(bound: string): string {
  return bound.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/** The bounds of an edge: those of `shared/limits.ts`, but where a variable says otherwise. */
export function boundsOf(variables: object): Decoded<Bounds> {
  const bounds: { -readonly [Name in keyof Bounds]: number } = { ...LIMITS }
  for (const [name, [least, most]] of Object.entries(SETTABLE)) {
    const variable = variableOf(name)
    const value: unknown = Reflect.get(variables, variable)
    if (value === undefined || value === "") continue
    const number = /^[0-9]{1,12}$/.test(String(value)) ? Number(value) : Number.NaN
    if (!(number >= least && number <= most)) {
      return bad(`${variable} is a whole number from ${least} to ${most}; ${JSON.stringify(value)} came.`)
    }
    bounds[name as keyof Bounds] = number // a name of the table is one of a bound
  }
  return good(bounds)
}
