import { COMMON_LIMITS } from "./common-limits.ts"
import { backoffMs } from "./connection.ts"

/**
 * What the connections of a client know together of their way to the edge. They share one network, so when it is away
 * one of them tries for all.
 */
export type Reachability =
  /** The edge has answered since the last failure, or there was none. */
  | { readonly kind: "reached" }
  /** Nobody tries for so long. `attempt` counts the failures since the last answer. */
  | { readonly kind: "resting"; readonly attempt: number; readonly restMs: number }
  /** The first that wants to may try. */
  | { readonly kind: "ready"; readonly attempt: number }
  /** One connection tries, and all others wait for what comes of it. */
  | { readonly kind: "trying"; readonly attempt: number }

export const REACHED: Reachability = { kind: "reached" }

/** The edge was not reached. What many connections lose at the same moment is one failure. */
export function notReached(before: Reachability, chance: number): Reachability {
  if (before.kind === "resting") return before
  const attempt = before.kind === "reached" ? 1 : before.attempt + 1
  return { kind: "resting", attempt, restMs: backoffMs(attempt, chance) }
}

/** It has rested; or there is hope; or the one that tried has left without an outcome. */
export function rested(before: Reachability): Reachability {
  return before.kind === "reached" ? before : { kind: "ready", attempt: before.attempt }
}

/** What it is once a connection has set out; undefined when none may. */
export function setOut(before: Reachability): Reachability | undefined {
  if (before.kind === "reached") return before
  return before.kind === "ready" ? { kind: "trying", attempt: before.attempt } : undefined
}

/** How long one of `count` connections waits that are let go together: so many do not come at one moment. */
export function spreadMs(count: number, chance: number): number {
  return Math.floor(chance * Math.min(COMMON_LIMITS.retryMsMax, count * COMMON_LIMITS.wakeSpreadMs))
}
