import type { Millis } from "../../shared/ids.ts"

/** The protocol counts intervals from this moment on, section 8.1. */
const EPOCH = Date.UTC(2024, 9, 9)
const INTERVAL_MS = 20_000
const JITTER_INTERVALS_MAX = 180 // an hour

/**
 * The number of the current interval. Readers who send it back ask for the same URL, so that a cache can
 * answer all of them; a reader who has it already gets a later one by chance, so that no two answers lead to
 * each other for ever.
 */
export function cursorAfter(sent: string | null, now: Millis, chance: number): number {
  const current = Math.floor((now - EPOCH) / INTERVAL_MS)
  const known = sent !== null && /^[0-9]{1,15}$/.test(sent) ? Number(sent) : -1
  return known < current ? current : known + 1 + Math.floor(chance * JITTER_INTERVALS_MAX)
}
