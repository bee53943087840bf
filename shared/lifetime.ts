import type { Millis } from "./ids.ts"

/** How long a stream lives. */
export type Lifetime =
  | { readonly kind: "endless" }
  /** So many seconds after the last read or append. */
  | { readonly kind: "idle"; readonly seconds: number }
  /** Until a moment. `text` is how the creator wrote it, and how it is told. */
  | { readonly kind: "until"; readonly at: Millis; readonly text: string }

/** Whether a second creation asks for the same. The same moment may be written in two ways. */
export function isSameLifetime(one: Lifetime, other: Lifetime): boolean {
  if (one.kind === "idle") return other.kind === "idle" && one.seconds === other.seconds
  if (one.kind === "until") return other.kind === "until" && one.at === other.at
  return other.kind === "endless"
}

/**
 * When a stream last used at `usedAt` ends; undefined for never. Uses are written down coarsely, `noteMsInterval` apart
 * at most, so the stream is given what the note may lag behind: it never ends early.
 */
export function endOf(lifetime: Lifetime, usedAt: Millis, noteMsInterval: number): Millis | undefined {
  switch (lifetime.kind) {
    case "endless":
      return undefined
    case "until":
      return lifetime.at
    case "idle":
      // a time plus a duration
      return (usedAt + lifetime.seconds * 1_000 + lagMs(lifetime.seconds, noteMsInterval)) as Millis
  }
}

/** Whether a use at `now` is worth a write, when the last one written down was at `usedAt`. */
export function isUseWorthNoting(
  lifetime: Lifetime,
  usedAt: Millis,
  now: Millis,
  noteMsInterval: number,
): boolean {
  return lifetime.kind === "idle" && now - usedAt >= lagMs(lifetime.seconds, noteMsInterval)
}

function lagMs(seconds: number, noteMsInterval: number): number {
  return Math.min(seconds * 100, noteMsInterval) // a tenth
}
