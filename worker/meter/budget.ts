import type { Pause } from "../../shared/append.ts"
import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import type { Microdollars } from "../../shared/prices.ts"
import { nextUtcDay } from "../../shared/utc-day.ts"
import { writeMoment } from "./moment.ts"

/** What a stream may cost in a day: as was said of it, else as was said of all. Undefined for any amount. */
export function budgetOf(
  { budget }: { readonly budget: Microdollars | undefined },
  { budgetMicrodollarsPerDay }: Pick<Bounds, "budgetMicrodollarsPerDay">,
): Microdollars | undefined {
  if (budget !== undefined) return budget
  return budgetMicrodollarsPerDay === 0 ? undefined : (budgetMicrodollarsPerDay as Microdollars) // as its name says
}

/** Until when a stream takes nothing that adds to it, if it has cost what it may cost today. */
export function pauseOf(
  stream: { readonly budget: Microdollars | undefined },
  costToday: Microdollars,
  bounds: Pick<Bounds, "budgetMicrodollarsPerDay">,
  now: Millis,
): Pause | undefined {
  const budget = budgetOf(stream, bounds)
  if (budget === undefined || costToday < budget) return undefined
  const midnight = nextUtcDay(now)
  return { waitMs: midnight - now, resumesAt: writeMoment(midnight), budget }
}
