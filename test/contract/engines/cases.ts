import fc from "fast-check"
import { parseStreamPath, type StreamPath } from "../../../shared/ids.ts"
import type { ViewData } from "../../../shared/view/definition.ts"
import { jsonData } from "./values.ts"
import { anyView, TYPES } from "./views.ts"

/** The streams of a case, and what its view's sources read. */
export const PATHS = ["main", "boards/a", "boards/b"].map(parseStreamPath)
export const READS = { one: "main", many: "boards/*" }

/** Messages of one stream as JSON texts, as a page of the edge has them. */
export type Run = { readonly stream: StreamPath; readonly texts: readonly string[] }

/** How a history reaches a fold. Whatever it is, the rows must be those of folding stream by stream. */
export type Manner = {
  /** How many messages at most come at once. */
  readonly batch: number
  /** Streams take turns, batch by batch. */
  readonly interleaves: boolean
  /** After so many batches: pending events are folded on top, and then taken back. */
  readonly rebasesAfter: number
  readonly pending: readonly string[]
  /** After so many batches: everything is closed and opened where it was left. */
  readonly restartsAfter: number
}

export type Case = { readonly view: ViewData; readonly runs: readonly Run[]; readonly manner: Manner }

const message = fc
  .tuple(
    fc.constantFrom(...TYPES, "made", "made", "made", "made@2", "made@2"),
    jsonData,
    fc.constantFrom("2026-01-02T03:04:05.678Z", "no time"),
    fc.nat({ max: 9 }),
  )
  .map(([type, data, time, subject]) => ({ type, data, time, subject }))

/** Each message of a case has its own id. Now and then one is no event at all. */
function textsOf(prefix: string): fc.Arbitrary<string[]> {
  return fc.array(message, { maxLength: 12 }).map((messages) =>
    messages.map(({ type, data, time, subject }, at) => {
      if (subject === 0) return data
      const event = { id: `${prefix}-${at}`, type, source: "device", time, subject: String(subject) }
      return `${JSON.stringify(event).slice(0, -1)},"data":${data}}`
    }),
  )
}

export const anyCase: fc.Arbitrary<Case> = fc.record({
  view: anyView,
  runs: fc
    .tuple(...PATHS.map((path) => textsOf(path)))
    .map((texts) => PATHS.map((stream, at) => ({ stream, texts: texts[at] ?? [] }))),
  manner: fc.record({
    batch: fc.integer({ min: 1, max: 5 }),
    interleaves: fc.boolean(),
    rebasesAfter: fc.nat({ max: 6 }),
    pending: textsOf("pending"),
    restartsAfter: fc.nat({ max: 6 }),
  }),
})
