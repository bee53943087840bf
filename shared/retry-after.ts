import { COMMON_LIMITS } from "./common-limits.ts"

/**
 * How long a refusal asks to be left alone, by its `Retry-After` in seconds; undefined when it does not say. The
 * header's other form, a date, counts as not said: a device's clock may be off by more than the wait.
 */
export function retryAfterMs(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined || !/^\d+$/.test(header.trim())) return undefined
  return Math.min(Number(header) * 1_000, COMMON_LIMITS.retryAfterMsMax)
}
