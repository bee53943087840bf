import type { Millis } from "../../shared/ids.ts"

/** A moment as RFC 3339 writes it, UTC, to the second. */
export function writeMoment(at: Millis): string {
  return new Date(at).toISOString().replace(/\.[0-9]+Z$/, "Z")
}
