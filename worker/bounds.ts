import { bad, type Decoded, good } from "../shared/decoded.ts"
import { type Bounds, LIMITS } from "../shared/limits.ts"
import { parseDollars } from "../shared/prices.ts"

const MiB = 1024 * 1024

/**
 * What an operator may set, and between what: beyond it the platform, or a rule of ours, would break. An object has
 * 128 MB of memory for all that it does at a time, and holds a page or a segment several times over. Revocations are
 * remembered for the standard life of tokens and tolerance of clocks, so these can only be less.
 */
const SETTABLE = {
  appendBytesMax: [1, LIMITS.appendBytesMax],
  frameBytesMax: [1_024, 32 * MiB],
  frameHeaderBytesMax: [256, 64 * 1024],
  headerBytesMax: [256, 32 * 1024],
  pathLengthMax: [1, 1_024],
  producerIdLengthMax: [1, 1_024],
  streamSeqLengthMax: [1, 4_096],
  contentTypeLengthMax: [1, 1_024],
  jsonDepthMax: [1, 1_000],
  epochJumpMax: [1, 1_000_000_000],
  producerBatchesMax: [1, 256],
  readBytesMax: [1, 16 * MiB],
  socketCatchUpBytesMax: [0, 16 * MiB],
  longPollMsDefault: [1, 120_000],
  longPollMsMax: [1, 120_000],
  sseMsMax: [1_000, 3_600_000],
  useNoteMsInterval: [1_000, 3_600_000],
  turnBytesMax: [1, 32 * MiB],
  segmentBytes: [1, 16 * MiB],
  hotBytesMin: [0, 1_024 * MiB],
  upkeepRetryMs: [100, 3_600_000],
  retentionSlackMsMax: [0, 86_400_000],
  lineageLengthMax: [1, 1_000],
  forkLookMsMin: [1_000, 3_600_000],
  forkLookMsMax: [1_000, 31_536_000_000],
  forksPerLookMax: [1, 500],
  producersRememberedMax: [1, 10_000],
  socketsMax: [1, 32_768],
  appendsPerSecondMax: [0, 1_000_000],
  appendsBurstMax: [1, 10_000_000],
  streamsPerPrincipalMax: [0, 1_000_000],
  principalSweepMax: [1, 500],
  creationMsMax: [1_000, 600_000],
  roomRetrySecondsMin: [1, 3_600],
  logRepeatMsInterval: [0, 86_400_000],
  tokenLengthMax: [256, 16 * 1024],
  principalLengthMax: [1, 512],
  grantsMax: [1, 1_000],
  tokenLifeMsMax: [1_000, LIMITS.tokenLifeMsMax],
  clockToleranceMs: [0, LIMITS.clockToleranceMs],
  ticketMsMax: [1_000, 120_000],
  ticketsMax: [1, 1_000_000],
  revocationsMax: [1, 100_000],
  viewBytesMax: [1, 1_000_000],
  viewStreamsMax: [1, 100_000],
  viewPageBytesMax: [1, 16 * MiB],
  viewTurnBytesMax: [1, 1_024 * MiB],
  viewPollMsMin: [1_000, 3_600_000],
  viewPollMsMax: [1_000, 86_400_000],
  viewRetryMs: [100, 3_600_000],
  queryRowsMax: [1, 100_000],
  queryBytesMax: [1_024, 16 * MiB],
  queryRowsReadMax: [1, 100_000_000],
  queryStepsMax: [1, 1_000_000_000],
  queryCountMsMax: [0, 3_600_000],
  queryRecursionMax: [0, 1_000_000],
  queryWaitMsMax: [0, 120_000],
  viewHashBytesMax: [0, 64 * MiB],
  viewSnapshotMessagesMin: [1, 1_000_000_000],
  viewSnapshotMsInterval: [1_000, 86_400_000],
  viewSnapshotBytesMax: [0, 32 * MiB],
  directoryPageMax: [1, 10_000],
} as const satisfies Partial<Record<keyof Bounds, readonly [least: number, most: number]>>

const BUDGET = "BUDGET_DOLLARS_PER_DAY"

/** The variable of wrangler.toml that sets a bound: `appendBytesMax` is `APPEND_BYTES_MAX`. */
function variableOf(bound: string): string {
  return bound.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()
}

/** All variables that set bounds, and what holds when they are not set. A budget that is not set is none. */
export const VARIABLES: readonly { readonly name: string; readonly standard: string }[] = [
  ...Object.keys(SETTABLE).map((bound) => {
    return { name: variableOf(bound), standard: String(LIMITS[bound as keyof Bounds]) } // SETTABLE names bounds
  }),
  { name: BUDGET, standard: "" },
]

/** Variables that look as if they set a bound, and would be passed over. */
const FIXED = Object.keys(LIMITS)
  .filter((bound) => !(bound in SETTABLE))
  .map(variableOf)

/** The bounds of an edge: those of `shared/limits.ts`, but where a variable says otherwise. */
export function boundsOf(variables: object): Decoded<Bounds> {
  const fixed = FIXED.find((variable) => settingIn(variables, variable) !== undefined)
  if (fixed !== undefined) {
    return bad(`${fixed} is not settable; ${JSON.stringify(settingIn(variables, fixed))} came.`)
  }
  const bounds: { -readonly [Name in keyof Bounds]: number } = { ...LIMITS }
  for (const [name, [least, most]] of Object.entries(SETTABLE)) {
    const variable = variableOf(name)
    const value = settingIn(variables, variable)
    if (value === undefined) continue
    const number = /^[0-9]{1,12}$/.test(value) ? Number(value) : Number.NaN
    if (!(number >= least && number <= most)) {
      return bad(`${variable} is a whole number from ${least} to ${most}; ${JSON.stringify(value)} came.`)
    }
    bounds[name as keyof Bounds] = number // a name of the table is one of a bound
  }
  const budget = budgetIn(variables)
  if (!budget.ok) return budget
  bounds.budgetMicrodollarsPerDay = budget.value
  const fault = faultBetween(bounds)
  return fault === undefined ? good(bounds) : bad(fault)
}

/** What does not hold between two bounds, each of which could be by itself. */
function faultBetween(bounds: Bounds): string | undefined {
  const { appendBytesMax, frameHeaderBytesMax, frameBytesMax } = bounds
  const { longPollMsDefault, longPollMsMax, forkLookMsMin, forkLookMsMax } = bounds
  if (appendBytesMax + frameHeaderBytesMax >= frameBytesMax) {
    const least = `APPEND_BYTES_MAX and FRAME_HEADER_BYTES_MAX, ${appendBytesMax} and ${frameHeaderBytesMax}`
    return `FRAME_BYTES_MAX is more than ${least} together; ${frameBytesMax} came.`
  }
  if (longPollMsDefault > longPollMsMax) {
    return `LONG_POLL_MS_DEFAULT is at most LONG_POLL_MS_MAX, ${longPollMsMax}; ${longPollMsDefault} came.`
  }
  if (forkLookMsMin > forkLookMsMax) {
    return `FORK_LOOK_MS_MIN is at most FORK_LOOK_MS_MAX, ${forkLookMsMax}; ${forkLookMsMin} came.`
  }
  const { viewPollMsMin, viewPollMsMax } = bounds
  if (viewPollMsMin <= viewPollMsMax) return undefined
  return `VIEW_POLL_MS_MIN is at most VIEW_POLL_MS_MAX, ${viewPollMsMax}; ${viewPollMsMin} came.`
}

function budgetIn(variables: object): Decoded<number> {
  const value = settingIn(variables, BUDGET)
  if (value === undefined) return good(LIMITS.budgetMicrodollarsPerDay)
  const dollars = parseDollars(value)
  return dollars.ok ? dollars : bad(`${BUDGET} is ${dollars.reason}`)
}

/** Variables are text, or what the JSON of a configuration made of them. One that is empty is not set. */
function settingIn(variables: object, name: string): string | undefined {
  const value: unknown = Reflect.get(variables, name)
  return value === undefined || value === "" ? undefined : String(value)
}
