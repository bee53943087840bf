import { beforeEach, describe, expect, test } from "vitest"
import type { StoredEntry, StreamRecord } from "../../client/disk/records.ts"
import type { PendingEntry } from "../../client/replica/pending-entry.ts"
import { Replica } from "../../client/replica/replica.ts"
import type { ReplicaListener } from "../../client/replica/replica-listener.ts"
import type { Millis, ProducerId, StreamPath } from "../../shared/ids.ts"
import type { Page } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { firstPosition, type OutboxKey } from "../../shared/outbox.ts"

const stream = "s" as StreamPath
const producer = "p" as ProducerId
const record: StreamRecord = { stream, head: START, ...firstPosition(producer) }
const refusal = { code: "rejected", message: "Not this." } as const
const event = (id: string) => ({ id, type: "t" })

function entry(id: string): PendingEntry {
  return { key: undefined, text: JSON.stringify(event(id)), count: 1, bytes: 20, messages: [event(id)] }
}

function stored(key: number, id: string): StoredEntry {
  return { stream, key: key as OutboxKey, text: JSON.stringify(event(id)), count: 1, bytes: 20 }
}

function page(from: number, ids: readonly string[]): Page {
  const at = (position: number) => (position === 0 ? START : (String(position).padStart(4, "0") as Offset))
  const messages = ids.map(event)
  const text = messages.map((message) => JSON.stringify(message)).join(",")
  return { from: at(from), next: at(from + ids.length), text, messages }
}

const heard: string[] = []
const listener: ReplicaListener = {
  appended: (_stream, entries) => void heard.push(`appended ${ids(entries)}`),
  advanced: (_stream, { messages }, confirmed) =>
    void heard.push(`advanced ${messages.length}, confirmed ${ids(confirmed)}`),
  reordered: () => void heard.push("reordered"),
}

function ids(entries: readonly Pick<PendingEntry, "messages">[]): string {
  return entries.flatMap(({ messages }) => messages.map((message) => (message as { id: string }).id)).join("")
}

beforeEach(() => void heard.splice(0))

describe("replica", () => {
  test("[LOG3] an entry is pending from its append until a page holds it", () => {
    const replica = new Replica(record, [], listener)
    const a = entry("a")
    replica.append([a])
    replica.stored([a], [1 as OutboxKey])
    expect(replica.pendingEvents).toBe(1)
    replica.take(page(0, ["x", "a"]))
    expect(replica.pendingEvents).toBe(0)
    expect(replica.head).toBe("0002")
    expect(heard).toEqual(["appended a", "advanced 2, confirmed a"])
  })

  test("[LOG1] a page that comes again, or out of turn, changes nothing", () => {
    const replica = new Replica(record, [], listener)
    replica.take(page(0, ["a", "b"]))
    expect(replica.take(page(0, ["a", "b"])).arrival).toBe("seen")
    expect(replica.take(page(1, ["b", "c"])).arrival).toBe("gap")
    expect(replica.take(page(3, ["d"])).arrival).toBe("gap")
    expect(replica.head).toBe("0002")
    expect(heard).toHaveLength(1)
  })

  test("[LOG4] an own entry that the disk shows after it was confirmed does not become pending again", () => {
    const replica = new Replica(record, [], listener)
    const a = entry("a")
    replica.append([a])
    replica.stored([a], [7 as OutboxKey])
    replica.take(page(0, ["a"]))
    replica.merge([stored(6, "b"), stored(7, "a")])
    expect(ids(replica.pending)).toBe("b")
    replica.merge([stored(6, "b"), stored(7, "a")])
    expect(ids(replica.pending)).toBe("b")
  })

  test("[LOG4] an own entry that the disk shows before the page has told of it is shown once", () => {
    const replica = new Replica(record, [stored(1, "a")], listener)
    const [a, b] = [entry("a"), entry("b")]
    replica.append([a])
    expect(heard).toEqual([])
    replica.append([b])
    replica.merge([stored(2, "b"), stored(3, "c")])
    expect(replica.stored([a, b], [1 as OutboxKey, 2 as OutboxKey])).toEqual([])
    expect(replica.pending.map(({ key }) => key)).toEqual([1, 2, 3])
    expect(ids(replica.pending)).toBe("abc")
    expect(replica.pendingEvents).toBe(3)
  })

  test("[LOG4] an own entry that another tab sent before the disk had answered is told as confirmed", () => {
    const replica = new Replica(record, [], listener)
    const a = entry("a")
    replica.append([a])
    replica.take(page(0, ["a"]))
    expect(replica.stored([a], [1 as OutboxKey])).toEqual([a])
    replica.merge([stored(1, "a")])
    expect(ids(replica.pending)).toBe("")
  })

  test("[LOG4] an own entry that was confirmed before the page told of it goes when the disk has answered", () => {
    const replica = new Replica(record, [], listener)
    replica.merge([stored(1, "a")])
    replica.take(page(0, ["a"]))
    const a = entry("a")
    replica.append([a])
    expect(replica.stored([a], [1 as OutboxKey])).toEqual([a])
    expect(replica.pendingEvents).toBe(0)
    expect(heard.at(-1)).toBe("reordered")
  })

  test("[LOG5] entries of other tabs take their place by key, and those without a key stay on top", () => {
    const replica = new Replica(record, [], listener)
    const [b, d] = [entry("b"), entry("d")]
    replica.append([b])
    replica.append([d])
    replica.stored([b], [2 as OutboxKey])
    replica.merge([stored(1, "a"), stored(2, "b"), stored(3, "c")])
    expect(ids(replica.pending)).toBe("abcd")
    expect(heard.at(-1)).toBe("reordered")
    expect(replica.pendingEvents).toBe(4)
  })

  test("[LOG6] what the disk refuses was never there", () => {
    const replica = new Replica(record, [stored(1, "a")], listener)
    const b = entry("b")
    replica.append([b])
    replica.refused([b])
    expect(ids(replica.pending)).toBe("a")
    expect(replica.pendingEvents).toBe(1)
  })

  test("[LOG4] an entry that the disk has stored since it was asked stays pending, once, when a log begins anew", () => {
    const replica = new Replica(record, [stored(1, "a")], listener)
    const asked = new Set(replica.pending.map(({ key }) => key))
    const b = entry("b")
    replica.append([b])
    expect(replica.stored([b], [2 as OutboxKey])).toEqual([])
    expect(ids(replica.restart(record, [], asked))).toBe("a")
    replica.merge([stored(2, "b")])
    expect(ids(replica.pending)).toBe("b")
  })

  test("[CONFLICT3] what is refused is pending no more, also where the disk still shows it so", () => {
    const replica = new Replica(record, [stored(1, "a"), stored(2, "b")], listener)
    expect(replica.reject([1 as OutboxKey], refusal, 5 as Millis)).toMatchObject([
      { key: 1, error: refusal, at: 5 },
    ])
    expect(heard).toEqual(["reordered"])
    replica.merge([stored(1, "a"), stored(2, "b")])
    replica.restart(record, [stored(1, "a"), stored(2, "b")], new Set([2]))
    expect([ids(replica.pending), replica.rejectedEvents]).toEqual(["b", 1])
  })

  test("[CONFLICT3] an own entry that was refused before the disk had answered is told as refused, not confirmed", () => {
    const replica = new Replica(record, [], listener)
    const a = entry("a")
    replica.append([a])
    replica.rejectedAre([{ ...stored(1, "a"), error: refusal, at: 5 as Millis }])
    expect(ids(replica.pending)).toBe("a")
    expect(replica.stored([a], [1 as OutboxKey])).toEqual([])
    expect(replica.rejections.among([1 as OutboxKey])).toEqual([{ key: 1, error: refusal }])
    expect([ids(replica.pending), replica.rejectedEvents]).toEqual(["", 1])
  })

  test("[OUT1] the batch in flight is the same bytes until a page settles it", () => {
    const inFlight = { producer, epoch: 3, seq: 4, keys: [1 as OutboxKey, 2 as OutboxKey] }
    const replica = new Replica(
      { ...record, epoch: 3, nextSeq: 5, inFlight },
      [stored(1, "a"), stored(2, "b"), stored(3, "c")],
      listener,
    )
    expect(replica.inFlightText()).toBe(`${JSON.stringify(event("a"))},${JSON.stringify(event("b"))}`)
    expect([...replica.waiting()].map(({ key }) => key)).toEqual([3])
    replica.take(page(0, ["a", "b"]))
    expect(replica.position).toEqual({ producer, epoch: 3, nextSeq: 5, knownEpoch: 3, inFlight: null })
  })

  test("[OUT7] a batch of which another device has appended a part stays in flight with what is left", () => {
    const inFlight = { producer, epoch: 3, seq: 4, keys: [1 as OutboxKey, 2 as OutboxKey] }
    const position = { ...record, epoch: 3, nextSeq: 5, inFlight }
    const replica = new Replica(position, [stored(1, "a"), stored(2, "b"), stored(3, "c")], listener)
    replica.take(page(0, ["b"]))
    expect(replica.position.inFlight).toBe(inFlight)
    expect(replica.inFlightText()).toBe(JSON.stringify(event("a")))
    expect([...replica.waiting()].map(({ key }) => key)).toEqual([3])
    replica.take(page(1, ["a", "b"]))
    expect(replica.position.inFlight).toBeNull()
  })
})
