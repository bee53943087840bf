import { COMMON_LIMITS } from "./common-limits.ts"
import { FIRST_LOOK, type Progress, progressOf } from "./progress.ts"

/** How the batch that an open connection was given stands at one look. */
export type Standing = {
  /** The edge has asked to wait with it: it is not late. */
  readonly isHeldBack: boolean
  /** The line itself may be dead. Whoever listens to it finds out, and until then nothing is said of the batch. */
  readonly isLineInDoubt: boolean
  /** How often the edge has judged something of this device: taken it, or refused it for good. */
  readonly outcomes: number
  /** Bytes that have not left this device. */
  readonly buffered: number
}

/** What was seen of a connection that is to bring something to the edge. */
export type Watch = { readonly progress: Progress; readonly outcomes: number }

export const FIRST_WATCH: Watch = { progress: FIRST_LOOK, outcomes: 0 }

/** A look, `ms` after the last one. Progress is an outcome, or an upload that goes on. */
export function watch(before: Watch, standing: Standing, ms: number): Watch {
  const { outcomes, buffered } = standing
  const isNew = outcomes !== before.outcomes || standing.isHeldBack
  const progress = isNew
    ? { idleMs: 0, buffered }
    : progressOf(before.progress, buffered, standing.isLineInDoubt ? 0 : ms)
  return { progress, outcomes }
}

/** Whether the connection lives and brings nothing to the edge. */
export function isStalled({ progress }: Watch): boolean {
  return progress.idleMs >= COMMON_LIMITS.stallMsMax
}
