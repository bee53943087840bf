import { expect, test } from "vitest"
import { encodeAppendFrame, type FrameData } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Microdollars } from "../../shared/prices.ts"
import { AppendRate } from "../../worker/limits/append-rate.ts"
import { Meter } from "../../worker/meter/meter.ts"
import type { MeterReport } from "../../worker/meter/meter-report.ts"
import { httpBody } from "../../worker/stream/append-body.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import type { TermsChange } from "../../worker/stream/stream-management.ts"
import { MemoryHost } from "./memory-host.ts"

const CONTENT_TYPE = "application/json"
const CLAIM = {
  contentType: CONTENT_TYPE,
  producer: undefined,
  streamSeq: undefined,
  expectedOffset: undefined,
  close: false,
  principal: undefined,
}
const NOON = Date.UTC(2026, 10, 25, 12)
const HOUR_MS = 3_600_000

const body = (text: string) => httpBody(Uint8Array.from(new TextEncoder().encode(text)))

/** A stream whose every statement writes a row, as far as its meter is told: a thousand make a tenth of a cent. */
class MeteredStream {
  readonly host = new MemoryHost()
  meter!: Meter
  core!: StreamCore

  constructor(budget?: Microdollars) {
    this.host.time = NOON
    this.wake()
    const claim = {
      contentType: CONTENT_TYPE,
      lifetime: { kind: "endless" },
      closed: false,
      retention: {},
      principal: undefined,
      budget,
    } as const
    this.core.create(claim, body(""))
  }

  /** The object leaves memory and comes back. */
  wake(): void {
    this.meter = new Meter(this.host.time as Millis)
    this.core = new StreamCore(this.host, this.meter)
  }

  append(text: string, more: object = {}) {
    return this.core.append({ ...CLAIM, ...more }, body(text))
  }

  report(): MeterReport {
    const report = this.core.management.meter(4_096)
    if (report.kind !== "meter") throw new Error("There is no stream.")
    return report
  }

  change(change: TermsChange): boolean {
    return this.core.management.change(change).kind === "done"
  }

  /** Use that costs so much. */
  spend(microdollars: number): void {
    this.meter.count("rowsWritten", microdollars)
  }
}

test("[METER1] appends, messages, frames and bytes are counted, whatever carried them", () => {
  const stream = new MeteredStream()
  const [writer, reader] = [stream.host.socket(), stream.host.socket()]
  for (const socket of [writer, reader]) stream.core.connect(socket, "now")
  stream.append("[1,2]")
  const ask = stream.core.asked(writer, encodeAppendFrame({ t: "append", id: 1, body: `"é"` }) as FrameData)
  stream.core.appendAll([ask!])
  stream.append("{")
  stream.core.read({ offset: "-1" })
  const sent = writer.frames.length + reader.frames.length
  const bytesOut = 2 * "1,2".length + `"é"`.length + 1 + `[1,2,"é"]`.length + 1
  expect(stream.report().total).toMatchObject({ appends: 2, messages: 3, framesOut: sent, bytesOut })
})

test("[METER3] what was counted before the last append outlives the object, and what came after it does not", () => {
  const stream = new MeteredStream()
  stream.spend(70)
  stream.append("[1,2]")
  stream.spend(1_000)
  stream.wake()
  stream.spend(5)
  expect(stream.report().total).toMatchObject({ rowsWritten: 75, appends: 1, messages: 2, wakes: 2 })
  stream.append("[3]")
  stream.wake()
  expect(stream.report().total).toMatchObject({ rowsWritten: 75, appends: 2, messages: 3, wakes: 3 })
})

test("[METER3] a stream that is made anew under the name begins at nothing", () => {
  const stream = new MeteredStream()
  stream.append("[1,2]")
  stream.spend(70)
  stream.core.delete()
  expect(stream.core.management.meter(0)).toEqual({ kind: "missing" })
  stream.core.create(
    {
      contentType: CONTENT_TYPE,
      lifetime: { kind: "endless" },
      closed: false,
      retention: {},
      principal: undefined,
    },
    body(""),
  )
  expect(stream.report().total).toMatchObject({ rowsWritten: 0, appends: 0, wakes: 1, requests: 1 })
})

test("[METER2] a day of UTC begins at nothing, in memory and after a wake; the total goes on", () => {
  const stream = new MeteredStream()
  stream.spend(70)
  stream.append("[1]")
  expect(stream.report().today).toMatchObject({ date: "2026-11-25", rowsWritten: 70, appends: 1 })
  stream.host.time += 12 * HOUR_MS
  expect(stream.report().today).toMatchObject({ date: "2026-11-26", rowsWritten: 0, appends: 0 })
  stream.spend(7)
  stream.append("[2]")
  stream.wake()
  const { today, total } = stream.report()
  expect([today.rowsWritten, total.rowsWritten]).toEqual([7, 77])
  stream.host.time += 24 * HOUR_MS
  stream.wake()
  expect(stream.report().today).toMatchObject({ date: "2026-11-27", rowsWritten: 0, appends: 0, wakes: 1 })
})

test("[BUDGET2] past its budget a stream takes nothing more until midnight, over both transports alike", () => {
  const stream = new MeteredStream(500 as Microdollars)
  const socket = stream.host.socket()
  stream.core.connect(socket, "now")
  expect(stream.append("[1]").status).toBe(204)
  stream.spend(500)
  const refusal = stream.append("[2]")
  const wait = String(12 * 3_600)
  const headers = { "retry-after": wait, "stream-resumes-at": "2026-11-26T00:00:00Z" }
  expect(refusal).toMatchObject({ status: 429, headers })
  expect(refusal.message).toContain("0.0005 dollars")
  expect(refusal.message).toContain("2026-11-26T00:00:00Z")
  stream.core.appendAll([
    stream.core.asked(socket, encodeAppendFrame({ t: "append", id: 7, body: "2" }) as FrameData)!,
  ])
  expect(socket.frames.at(-1)).toEqual({ t: "reply", id: 7, ...refusal })
  expect(stream.report().budget).toEqual({ dollarsPerDay: 0.0005, resumesAt: "2026-11-26T00:00:00Z" })
  expect(stream.core.read({ offset: "-1" })).toMatchObject({ kind: "page", upToDate: true })
  stream.host.time += 12 * HOUR_MS
  expect(stream.append("[2]").status).toBe(204)
})

test("[BUDGET2] what is wrong with an append, and what was taken before, is told all the same", () => {
  const stream = new MeteredStream(500 as Microdollars)
  const producer = { id: "p", epoch: 0, seq: 0 }
  expect(stream.append("[1]", { producer }).status).toBe(200)
  stream.spend(500)
  expect(stream.append("{").status).toBe(400)
  expect(stream.append("[1]", { producer }).status).toBe(204)
  expect(stream.append("[2]", { producer: { ...producer, seq: 1 } }).status).toBe(429)
  stream.host.time += 12 * HOUR_MS
  expect(stream.append("[2]", { producer: { ...producer, seq: 1 } }).status).toBe(200) // 429 took no number
})

test("[BUDGET2] a stream past its budget can be closed and deleted", () => {
  const stream = new MeteredStream(500 as Microdollars)
  stream.spend(500)
  expect(stream.append("", { close: true }).status).toBe(204)
  expect(stream.core.delete()).toEqual({ kind: "done" })
})

test("[BUDGET1] a budget of one's own counts before that of all, and none is none", () => {
  const stream = new MeteredStream()
  stream.spend(100)
  expect(stream.append("[1]").status).toBe(204)
  stream.host.bounds = { ...LIMITS, budgetMicrodollarsPerDay: 50 }
  stream.wake()
  stream.spend(100)
  expect(stream.append("[2]").status).toBe(429)
  expect(stream.change({ budget: 1_000 as Microdollars })).toBe(true)
  expect(stream.append("[2]").status).toBe(204)
})

test("[PATCH2] a change keeps what it does not name, and upkeep wakes for what it made due", () => {
  const stream = new MeteredStream(500 as Microdollars)
  for (let n = 0; n < 3; n++) stream.append(`[${n}]`)
  expect(stream.change({ ageMs: 60_000 })).toBe(true)
  expect(stream.host.alarm).toBe(NOON + 66_000)
  expect(stream.change({ bytes: 1 })).toBe(true)
  expect(stream.host.alarm).toBe(NOON)
  stream.core.expire()
  expect(stream.core.read({ offset: "-1" })).toMatchObject({ kind: "trimmed" })
  const kept = () => {
    const state = stream.core.head()
    return state.kind === "stream" ? { ...state.stream.retention, budget: state.stream.budget } : undefined
  }
  expect(kept()).toEqual({ ageMs: 60_000, bytes: 1, budget: 500 })
  stream.change({ bytes: "none", budget: "none" })
  expect(kept()).toEqual({ ageMs: 60_000, budget: undefined })
  stream.core.delete()
  expect(stream.change({ bytes: 1 })).toBe(false)
})

test("[LIMIT4] appends come as fast as the bound says, and wait for the rest of a second at least", () => {
  const bounds = { appendsPerSecondMax: 2, appendsBurstMax: 3 }
  let time = NOON
  const rate = new AppendRate({ bounds, now: () => time as Millis })
  const refusals = () => [1, 2, 3, 4].map(() => rate.refusal()?.status)
  expect(refusals()).toEqual([undefined, undefined, undefined, 429])
  time += 1_000
  expect(refusals()).toEqual([undefined, undefined, 429, 429])
  expect(rate.refusal()).toMatchObject({
    headers: { "retry-after": "1" },
    message: expect.stringMatching(/^A stream/),
  })
  const unbound = new AppendRate({ bounds: { ...bounds, appendsPerSecondMax: 0 }, now: () => time as Millis })
  for (let n = 0; n < 10; n++) expect(unbound.refusal()).toBe(undefined)
})
