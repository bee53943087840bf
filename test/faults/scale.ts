/*
 * How often faults happen: a few times in `npm test`, all the times that are promised in `npm run test:faults`.
 */

function number(variable: string, otherwise: number): number {
  return Number(process.env[variable] ?? otherwise)
}

/** Kills of each kind of process. */
export const KILLS = number("HEADWATER_KILLS", 2)
/** Changes of the leader among tabs. */
export const HANDOVERS = number("HEADWATER_HANDOVERS", 3)
/** Faults of the network. */
export const STRIKES = number("HEADWATER_STRIKES", 11)
/** Pages that end in the task in which they append, of each kind. */
export const ENDINGS = number("HEADWATER_ENDINGS", 2)

/** Of every choice that chance makes in these tests. */
export const SEED = number("HEADWATER_SEED", 2026)

/** `npm run test:faults` says how long what is waited for may take. Other runs share their machine. */
export const HANDOVER_MS_MAX = number("HEADWATER_HANDOVER_MS", Number.POSITIVE_INFINITY)
export const CONVERGENCE_MS_MAX = number("HEADWATER_CONVERGENCE_MS", Number.POSITIVE_INFINITY)
export const HALF_OPEN_MS_MAX = number("HEADWATER_HALF_OPEN_MS", Number.POSITIVE_INFINITY)

/** A test's patience, with `msEach` for each fault. */
export function patienceMs(faults: number, msEach: number): number {
  return 120_000 + faults * msEach
}
