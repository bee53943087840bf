import type { Meter } from "../meter/meter.ts"
import { type MeterReport, meterReport } from "../meter/meter-report.ts"
import type { SegmentIndex } from "../segments/segment-index.ts"
import type { StreamHost } from "./stream-host.ts"
import type { Absent, StreamLife } from "./stream-life.ts"
import type { StreamLog } from "./stream-log.ts"
import type { StreamTerms } from "./stream-record.ts"
import type { Upkeep } from "./upkeep.ts"

export type ManagementParts = {
  readonly host: StreamHost
  readonly log: StreamLog
  readonly index: SegmentIndex
  readonly life: StreamLife
  readonly upkeep: Upkeep
  readonly meter: Meter
}

/** A new value, or `none` for not being bound any more. What is left out stays as it is. */
export type TermsChange = {
  readonly ageMs?: number | "none"
  readonly bytes?: number | "none"
  readonly budget?: StreamTerms["budget"] | "none"
}

/** What a stream answers those who manage it. No question here is a use of the stream. */
export class StreamManagement {
  readonly #parts: ManagementParts

  constructor(parts: ManagementParts) {
    this.#parts = parts
  }

  /** Changes how much of the stream is kept, and what it may cost. */
  change(change: TermsChange): { readonly kind: "done" } | Absent {
    const { life, log, upkeep } = this.#parts
    const found = life.find()
    if (found.kind !== "stream") return found
    const { stream } = found
    const terms = changed(stream, change)
    log.noteTerms(terms)
    upkeep.wakeWhenDue({ ...stream, ...terms })
    return { kind: "done" }
  }

  /** What the stream's use has come to. `objectBytes` is what its object keeps. */
  meter(objectBytes: number): MeterReport | Absent {
    const { host, life, index, meter } = this.#parts
    const found = life.find()
    if (found.kind !== "stream") return found
    const { stream } = found
    const now = host.now()
    meter.passTo(now)
    const segmentBytes = index.all().reduce((sum, { bytes }) => sum + bytes, 0)
    return meterReport({ meter, stream, bounds: host.bounds, objectBytes, segmentBytes, now })
  }

  /** Who created the stream, where the edge knows its callers; undefined when there is none. */
  creator(): string | undefined {
    const found = this.#parts.life.find()
    return found.kind === "stream" ? found.stream.creator : undefined
  }
}

function changed({ retention, budget }: StreamTerms, change: TermsChange): StreamTerms {
  const ageMs = next(retention.ageMs, change.ageMs)
  const bytes = next(retention.bytes, change.bytes)
  return {
    retention: { ...(ageMs !== undefined && { ageMs }), ...(bytes !== undefined && { bytes }) },
    budget: next(budget, change.budget),
  }
}

function next<T>(before: T | undefined, change: T | "none" | undefined): T | undefined {
  if (change === undefined) return before
  return change === "none" ? undefined : change
}
