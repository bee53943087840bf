import { afterAll, beforeAll, describe, type ExpectStatic, test } from "vitest"
import { startEdge, type TestEdge } from "../support/edge.ts"
import { longPollReader, type Reader, socketReader, sseReader } from "../support/readers.ts"

/*
 * In the real runtime, after the real idle time: readers of every kind are connected, nothing is appended for a
 * while, and the stream's object leaves memory. What shows it is that the next event has its constructor run anew.
 */

/** The runtime drops an object that was idle for ten seconds, when it next looks. */
const QUIET_MS = 14_000
const PROBES_MAX = 4
const PROBES_OF_CONTROL = 2
const POLL_HOLD_S = 30

let edge: TestEdge

beforeAll(async () => {
  edge = await startEdge({ entry: "test/worker/entry/counted.ts" })
})

afterAll(() => edge.stop())

/** A stream with a reader of each kind, and how often its object was made. */
class Watched {
  readonly #expect: ExpectStatic
  readonly #readers: readonly Reader[]
  readonly #path: string
  #appended = 0

  private constructor(path: string, readers: readonly Reader[], expect: ExpectStatic) {
    this.#path = path
    this.#readers = readers
    this.#expect = expect
  }

  /** `expect` is that of the test: two of them run side by side. */
  static async open(path: string, expect: ExpectStatic): Promise<Watched> {
    const url = `${edge.url}/v1/stream/${path}`
    await fetch(url, { method: "PUT", headers: { "content-type": "application/json" } })
    const readers = [socketReader(url), sseReader(url), longPollReader(url, POLL_HOLD_S)]
    return new Watched(path, readers, expect)
  }

  /** Appends one event. Answers how often the object has been made by then. */
  async probe(): Promise<number> {
    const url = `${edge.url}/v1/stream/${this.#path}`
    const body = JSON.stringify({ n: this.#appended })
    const headers = { "content-type": "application/json" }
    this.#expect((await fetch(url, { method: "POST", headers, body })).status).toBe(204)
    this.#appended++
    const made = await fetch(`${edge.url}/made/${this.#path}`)
    return Number(await made.text())
  }

  async expectAllHeard(): Promise<void> {
    const all = Array.from({ length: this.#appended }, (_, n) => ({ n }))
    for (const { kind, heard } of this.#readers)
      await this.#expect.poll(() => ({ kind, heard })).toEqual({ kind, heard: all })
  }

  /** A poll comes back with an event, the others stay: whoever came back more often did not wait through the quiet. */
  expectNobodyCameBack(): void {
    for (const { kind, returns } of this.#readers) {
      this.#expect(returns(), kind).toBeLessThanOrEqual(kind === "long-poll" ? this.#appended : 0)
    }
  }

  close(): void {
    for (const reader of this.#readers) reader.close()
  }
}

/** Looks after each of so many quiet times whether the object was made anew since the first look. */
async function expectMadeAnew(watched: Watched, probes: number, expect: ExpectStatic): Promise<void> {
  const first = await watched.probe()
  await watched.expectAllHeard()
  const options = { interval: QUIET_MS, timeout: QUIET_MS * (probes + 0.5) }
  const quiet = performance.now()
  await expect
    .poll(() => (performance.now() - quiet < QUIET_MS - 1_000 ? first : watched.probe()), options)
    .toBeGreaterThan(first)
}

describe.concurrent("an idle stream", () => {
  test("[EDGE12] leaves memory while readers of every kind wait, and each hears the next event", async ({
    expect,
  }) => {
    const watched = await Watched.open("idle/orders", expect)
    await expectMadeAnew(watched, PROBES_MAX, expect)
    await watched.expectAllHeard()
    await watched.probe()
    await watched.expectAllHeard()
    watched.expectNobodyCameBack()
    watched.close()
  })

  test("[EDGE12] would be seen to stay in memory if it kept a timer", async ({ expect }) => {
    const watched = await Watched.open("awake/orders", expect)
    await expect(expectMadeAnew(watched, PROBES_OF_CONTROL, expect)).rejects.toThrow("to be greater than 1")
    await watched.expectAllHeard()
    watched.close()
  })
})
