import type { Millis } from "../../shared/ids.ts"
import type { Bounds } from "../../shared/limits.ts"
import { costOf, type Microdollars, storageCostPerMonth } from "../../shared/prices.ts"
import { budgetOf, pauseOf } from "./budget.ts"
import type { Counts } from "./counts.ts"
import type { Meter } from "./meter.ts"
import { writeMoment } from "./moment.ts"

/** A use and what it is estimated to have cost. */
type Use = Counts & { readonly dollars: number }

/** What `GET /v1/meter/<path>` answers. */
export type MeterReport = {
  readonly kind: "meter"
  /** Since the stream was created. */
  readonly total: Use
  /** Since midnight, UTC. */
  readonly today: Use & { readonly date: string }
  /** When the object last came into memory. */
  readonly awakeSince: string
  readonly storage: {
    readonly objectBytes: number
    readonly segmentBytes: number
    readonly dollarsPerMonth: number
  }
  /** What the stream may cost in a day, and when it takes appends again if it has cost that. Null for neither. */
  readonly budget: { readonly dollarsPerDay: number | null; readonly resumesAt: string | null }
}

export type ReportParts = {
  readonly meter: Meter
  readonly stream: { readonly budget: Microdollars | undefined }
  readonly bounds: Pick<Bounds, "budgetMicrodollarsPerDay">
  readonly objectBytes: number
  readonly segmentBytes: number
  readonly now: Millis
}

export function meterReport(parts: ReportParts): MeterReport {
  const { meter, stream, bounds, objectBytes, segmentBytes, now } = parts
  const { total, today } = meter.tally
  const budget = budgetOf(stream, bounds)
  const pause = pauseOf(stream, meter.costToday, bounds, now)
  const perMonth = storageCostPerMonth({ object: objectBytes, segments: segmentBytes })
  return {
    kind: "meter",
    total: { ...total, dollars: dollars(costOf(total)) },
    today: { date: writeMoment(now).slice(0, 10), ...today, dollars: dollars(costOf(today)) },
    awakeSince: writeMoment(meter.awakeSince),
    storage: { objectBytes, segmentBytes, dollarsPerMonth: dollars(perMonth) },
    budget: {
      dollarsPerDay: budget === undefined ? null : dollars(budget),
      resumesAt: pause === undefined ? null : pause.resumesAt,
    },
  }
}

/** To a billionth: what a row read costs. */
function dollars(amount: Microdollars): number {
  return Math.round(amount * 1_000) / 1_000_000_000
}
