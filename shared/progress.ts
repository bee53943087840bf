/** What a wait for the edge has seen of itself. */
export type Progress = {
  /** How long nothing has happened. It is the sum of the looks, since a device's clock may jump. */
  readonly idleMs: number
  /** Bytes that were still to leave this device at the last look. */
  readonly buffered: number
}

export const FIRST_LOOK: Progress = { idleMs: 0, buffered: 0 }

/** A look, `ms` after the last one: an upload that goes on is progress, though nobody answers yet. */
export function progressOf(before: Progress, buffered: number, ms: number): Progress {
  return { idleMs: buffered < before.buffered ? 0 : before.idleMs + ms, buffered }
}
