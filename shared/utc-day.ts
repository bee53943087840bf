import type { Millis } from "./ids.ts"

const DAY_MS = 86_400_000

/** Which day of UTC a moment is in: how many there were since 1970. */
export function utcDayOf(at: Millis): number {
  return Math.floor(at / DAY_MS)
}

/** Midnight after that moment, UTC. */
export function nextUtcDay(at: Millis): Millis {
  return ((utcDayOf(at) + 1) * DAY_MS) as Millis // a count of days in milliseconds
}
