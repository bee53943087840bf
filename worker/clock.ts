import type { Millis } from "../shared/ids.ts"

/** The time. For the shells alone: what decides is given it. */
export function now(): Millis {
  return Date.now() as Millis // which is what Date.now counts
}
