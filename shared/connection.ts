import { unreachable } from "./assert.ts"
import { COMMON_LIMITS } from "./common-limits.ts"
import type { Millis } from "./ids.ts"

/** Why a stream's connection has given up: trying again changes nothing. */
export type StopReason =
  /** The stream is closed and has been read to its end. */
  | "closed"
  /** The stream was deleted. */
  | "deleted"
  /** The edge's log is not the one that this device has read from, or is kept no longer from where it has read to. */
  | "diverged"
  /** The edge's log is the beginning of the one that this device has read: it was put back to an older copy. */
  | "rolled-back"
  /** The edge knows the caller and says no. */
  | "forbidden"
  /** The stream holds bytes, and events are JSON. */
  | "not-json"

/**
 * One stream's connection to the edge. Each state carries the facts that are true in it and no others.
 * `attempt` counts the failures since the last connection that lasted.
 */
export type ConnectionState =
  /** Nobody has asked for a connection: this tab does not lead. */
  | { readonly kind: "idle" }
  /** The app or the browser says that there is no network. */
  | { readonly kind: "paused" }
  | { readonly kind: "catching-up"; readonly attempt: number }
  | { readonly kind: "creating"; readonly attempt: number }
  | { readonly kind: "opening"; readonly attempt: number }
  | { readonly kind: "live"; readonly attempt: number; readonly since: Millis }
  | { readonly kind: "waiting"; readonly attempt: number; readonly retryAt: Millis }
  | { readonly kind: "stopped"; readonly reason: StopReason }

export type ConnectionInput =
  | { readonly kind: "started" }
  | { readonly kind: "ended" }
  | { readonly kind: "paused" }
  | { readonly kind: "resumed" }
  /** The timer of a waiting state rang, or there is reason to hope: the browser says online, the page is visible. */
  | { readonly kind: "woke" }
  | { readonly kind: "page-read"; readonly upToDate: boolean }
  | { readonly kind: "missing" }
  | { readonly kind: "created" }
  | { readonly kind: "opened" }
  /** More is missing than a socket should carry, or comes faster than this device can store it. */
  | { readonly kind: "behind" }
  /**
   * `leastMs`: the edge asked not to be tried again before so long. `hasStalled`: it was open and brought nothing to
   * the edge, so it counts as none that lasted.
   */
  | { readonly kind: "lost"; readonly leastMs?: number | undefined; readonly hasStalled?: boolean }
  | { readonly kind: "refused"; readonly reason: StopReason }

export type ConnectionEffect =
  | { readonly kind: "read-page" }
  | { readonly kind: "create-stream" }
  | { readonly kind: "open-socket" }
  /** End whatever is under way: request, socket or timer. */
  | { readonly kind: "let-go" }
  | { readonly kind: "wake-at"; readonly at: Millis }

export type Tick = { readonly now: Millis; readonly chance: number }

type Step = readonly [next: ConnectionState, ...effects: ConnectionEffect[]]

/**
 * The whole life of a connection as one function. An input that does not belong to the state is the echo of something
 * already let go, and changes nothing.
 */
export function step(state: ConnectionState, input: ConnectionInput, tick: Tick): Step {
  switch (input.kind) {
    case "ended":
      return [{ kind: "idle" }, { kind: "let-go" }]
    case "started":
      return state.kind === "idle" ? catchUp(0) : [state]
    case "paused":
      return state.kind === "stopped" ? [state] : [{ kind: "paused" }, { kind: "let-go" }]
    case "resumed":
      return state.kind === "paused" ? catchUp(0) : [state]
    case "woke":
      return state.kind === "waiting" ? catchUp(state.attempt) : [state]
    case "lost":
      return isBusy(state) ? retry(state, tick, input) : [state]
    case "refused":
      return isBusy(state) ? [{ kind: "stopped", reason: input.reason }, { kind: "let-go" }] : [state]
    case "page-read":
      if (state.kind !== "catching-up") return [state]
      if (!input.upToDate) return catchUp(state.attempt)
      return [{ kind: "opening", attempt: state.attempt }, { kind: "open-socket" }]
    case "missing":
      return isBusy(state)
        ? [{ kind: "creating", attempt: state.attempt }, { kind: "create-stream" }]
        : [state]
    case "created":
      return state.kind === "creating" ? catchUp(state.attempt) : [state]
    case "opened":
      return state.kind === "opening" ? [{ kind: "live", attempt: state.attempt, since: tick.now }] : [state]
    case "behind":
      return isBusy(state) ? catchUp(state.attempt) : [state]
    default:
      return unreachable(input)
  }
}

type Loss = Extract<ConnectionInput, { kind: "lost" }>
type BusyState = Extract<ConnectionState, { attempt: number }>

function isBusy(state: ConnectionState): state is Exclude<BusyState, { kind: "waiting" }> {
  return "attempt" in state && state.kind !== "waiting"
}

function catchUp(attempt: number): Step {
  return [{ kind: "catching-up", attempt }, { kind: "let-go" }, { kind: "read-page" }]
}

/** A connection that lasted longer than the longest wait was a good one: counting starts again. */
function retry(state: BusyState, tick: Tick, { leastMs = 0, hasStalled = false }: Loss): Step {
  const lasted = state.kind === "live" && !hasStalled && tick.now - state.since > COMMON_LIMITS.retryMsMax
  const attempt = lasted ? 1 : state.attempt + 1
  const waitMs = leastMs + backoffMs(attempt, tick.chance) // a crowd that was sent away together comes back spread
  const retryAt = (tick.now + waitMs) as Millis // a time plus a duration is a time
  return [{ kind: "waiting", attempt, retryAt }, { kind: "let-go" }, { kind: "wake-at", at: retryAt }]
}

/**
 * Full jitter: anything from nothing to a bound that doubles with each attempt. It spreads a crowd that lost the same
 * edge at the same moment better than a fixed wait with some noise on it.
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(attempt: number, chance: number): number {
  const bound = Math.min(COMMON_LIMITS.retryMsMax, COMMON_LIMITS.retryMsMin * 2 ** Math.min(attempt - 1, 20))
  return Math.floor(chance * bound)
}
