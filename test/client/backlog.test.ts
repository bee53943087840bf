import fc from "fast-check"
import { expect, test } from "vitest"
import { Backlog } from "../../client/page/backlog.ts"
import { type Fate, Outgoing } from "../../client/page/outgoing.ts"
import type { StreamStatus } from "../../client/status.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import type { OutboxKey } from "../../shared/outbox.ts"

const stream = "a/b" as StreamPath
const FULL = { code: "backlog-full" }

/** A page whose disk takes all and whose thread never answers. */
function page() {
  const seen = { written: 0, shown: 0, keys: 0 }
  const never = () => new Promise<never>(() => {})
  const outgoing = new Outgoing({
    lasts: true,
    secure: never,
    async write(_stream, entries) {
      for (const { count } of entries) seen.written += count
      return entries.map(() => ++seen.keys as OutboxKey)
    },
    show(_stream, entries) {
      for (const { count } of entries) seen.shown += count
      return never()
    },
    stored: never,
    refused: never,
    async flush() {},
    after: () => () => {},
  })
  const append = (count: number, text = "1"): Fate[] =>
    Array.from({ length: count }, () => outgoing.append(stream, text, { durability: "flushed" }))
  return { seen, outgoing, append }
}

/** What `append` came to. */
function fateOf(fates: readonly Fate[]): Promise<unknown> {
  return fates.at(-1)!.flushed.then(
    () => "stored",
    (reason: unknown) => reason,
  )
}

test("[FLOW3] a thread that does not answer is given no more than may wait, whatever comes in how many turns", async () => {
  const { seen, append } = page()
  const part = LIMITS.pendingEventsMax / 4
  for (let turn = 0; turn < 3; turn++) expect(await fateOf(append(part))).toBe("stored")
  expect(await fateOf(append(part + 1))).toMatchObject(FULL)
  expect(await fateOf(append(part))).toBe("stored")
  expect(await fateOf(append(1))).toMatchObject(FULL)
  expect(seen).toMatchObject({ written: LIMITS.pendingEventsMax, shown: LIMITS.pendingEventsMax })
})

test("[FLOW3] bytes are bounded like events, and one burst that is too large is refused whole", async () => {
  const { seen, append } = page()
  const text = JSON.stringify("x".repeat(LIMITS.eventBytesMax - 2))
  const count = Math.floor(LIMITS.pendingBytesMax / (text.length + 1))
  expect(await fateOf(append(count + 1, text))).toMatchObject(FULL)
  expect(seen.written).toBe(0)
  expect(await fateOf(append(count, text))).toBe("stored")
  expect(await fateOf(append(1, text))).toMatchObject(FULL)
})

test("[FLOW3] there is room again as soon as the edge has confirmed something", async () => {
  const { outgoing, append } = page()
  const fates = append(LIMITS.pendingEventsMax)
  expect(await fateOf(fates)).toBe("stored")
  outgoing.settle({ kind: "confirmed", ticket: 1, offset: "0001" as Offset })
  await fates[0]!.confirmed
  expect(await fateOf(append(LIMITS.batchEventsMax))).toBe("stored")
  expect(await fateOf(append(1))).toMatchObject(FULL)
})

const BIG = LIMITS.pendingEventsMax / 5
const act = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("append" as const), entries: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("other" as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("show" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("confirm" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("status" as const) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("hear" as const) }) },
)

test("[FLOW3] whatever is told how late, this page never makes too much wait, and says so only while it may be true", () => {
  const property = fc.property(fc.array(act, { maxLength: 80 }), (acts) => {
    const backlog = new Backlog()
    const handed: number[][] = [] // on their way to the thread
    const shown: number[] = [] // pending, as the thread knows
    const heard: (() => void)[] = [] // on their way to the page
    let [tickets, shows, others, mine] = [0, 0, 0, 0]
    const status = () => {
      const pending = (shown.length + others) * BIG
      const told = { pending, pendingBytes: 0 } as StreamStatus // all of one that counts
      const known = shows
      heard.push(() => backlog.told({ [stream]: told }, known))
    }
    const take: Record<Exclude<(typeof acts)[number]["kind"], "append">, () => void> = {
      other: () => void others++,
      show() {
        const entries = handed.shift()
        if (entries === undefined) return
        shows++
        shown.push(...entries)
      },
      confirm() {
        const ticket = shown.shift()
        if (ticket === undefined) return
        mine--
        heard.push(() => backlog.confirmed(ticket))
        status()
      },
      status,
      hear: () => heard.shift()?.(),
    }
    const admit = (count: number) => {
      const entries = Array.from({ length: count }, () => ({
        ticket: ++tickets,
        text: "",
        count: BIG,
        bytes: 0,
      }))
      try {
        backlog.admit(stream, entries)
        mine += count
        handed.push(entries.map(({ ticket }) => ticket))
        return true
      } catch {
        return false
      }
    }
    for (const one of acts) {
      if (one.kind === "append") admit(one.entries)
      else take[one.kind]()
      expect(mine).toBeLessThanOrEqual(5)
    }
    while (handed.length > 0) take.show()
    status()
    while (heard.length > 0) take.hear()
    const hasRoom = mine + others < 5
    expect(admit(1)).toBe(hasRoom)
  })
  fc.assert(property, { numRuns: 2_000 })
})
