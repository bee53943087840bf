import fc from "fast-check"
import { expect, test } from "vitest"
import { LIMITS } from "../../shared/limits.ts"
import { ANYONE } from "../../worker/access/caller.ts"
import { readPage, type Source } from "../../worker/http/read-page.ts"
import { sha256 } from "../../worker/segments/r2-store.ts"
import { Sealer } from "../../worker/segments/sealer.ts"
import { httpBody } from "../../worker/stream/append-body.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import type { ReadAsk, SegmentList } from "../../worker/stream/stream-reads.ts"
import type { Retention } from "../../worker/stream/stream-record.ts"
import { MemoryHost } from "./memory-host.ts"
import { MemoryStore } from "./memory-store.ts"

const RUNS = Number(process.env.HEADWATER_RUNS ?? 200)

/** These streams descend from none, and access is open. */
const NOBODY_ELSE = { caller: ANYONE, streams: {} as Source["streams"], readBytesMax: 100 }

const TINY = { ...LIMITS, segmentBytes: 60, hotBytesMin: 30, socketCatchUpBytesMax: 20, readBytesMax: 100 }

/** A stream whose messages are numbers (or bytes that say numbers), with segments of a few messages. */
class SealedStream {
  readonly host = new MemoryHost()
  readonly store = new MemoryStore()
  readonly contentType: string
  core: StreamCore
  count = 0

  constructor(contentType = "application/json", retention: Retention = {}) {
    this.host.bounds = TINY
    this.contentType = contentType
    this.core = new StreamCore(this.host)
    const claim = {
      contentType,
      lifetime: { kind: "endless" },
      closed: false,
      retention,
      principal: undefined,
    } as const
    this.core.create(claim, httpBody(new Uint8Array()))
  }

  append(count: number): void {
    const { contentType } = this
    const isJson = contentType === "application/json"
    for (let n = 0; n < (isJson ? 1 : count); n++) {
      const numbers = Array.from({ length: isJson ? count : 1 }, () => 1_000 + this.count++)
      const text = isJson ? JSON.stringify(numbers) : `${numbers[0]};`
      const none = {
        producer: undefined,
        streamSeq: undefined,
        expectedOffset: undefined,
        close: false,
        principal: undefined,
      }
      this.core.append({ contentType, ...none }, httpBody(Uint8Array.from(new TextEncoder().encode(text))))
    }
  }

  evict(): void {
    this.core = new StreamCore(this.host)
  }

  /** What the object does when its alarm rings. Whatever fails is left for the next time. */
  async wake(): Promise<void> {
    this.core.expire()
    const sealer = new Sealer({ seals: this.core.seals, store: this.store, digest: sha256 })
    await sealer.run().catch(() => undefined)
    this.core.expire()
  }

  get source(): Source {
    const stub = { read: async (ask: ReadAsk) => this.core.read(ask) }
    return { stub: stub as unknown as Source["stub"], ...NOBODY_ELSE, store: this.store } // only `read` is asked
  }

  /** Everything from an offset on, page by page, and the offsets between the pages. */
  async readAll(from = "-1", end?: string): Promise<{ numbers: number[]; offsets: string[] }> {
    const numbers: number[] = []
    const offsets: string[] = []
    for (let offset = from; ; ) {
      const page = await readPage(this.source, offset, end)
      if (page.kind !== "page") throw new Error(JSON.stringify(page))
      if (offset !== "-1") expect(page.from).toBe(offset)
      const text = new TextDecoder().decode(page.body)
      const isJson = this.contentType === "application/json"
      numbers.push(
        ...(isJson
          ? JSON.parse(text)
          : text
              .split(";")
              .filter((one) => one !== "")
              .map(Number)),
      )
      offsets.push(page.from, page.next)
      offset = page.next
      if (page.upToDate || page.next === end) return { numbers, offsets: [...new Set(offsets)] }
    }
  }
}

const numbersFrom = (first: number, count: number) =>
  Array.from({ length: count }, (_, n) => 1_000 + first + n)

const act = fc.oneof(
  fc.integer({ min: 1, max: 9 }).map((count) => (stream: SealedStream) => stream.append(count)),
  fc.constant((stream: SealedStream) => stream.evict()),
  fc.nat(20).map((at) => async (stream: SealedStream) => {
    let calls = 0
    stream.store.fails = () => calls++ === at
    await stream.wake()
    stream.store.fails = () => false
  }),
)

test.each(["application/json", "text/plain"])(
  "[SEAL1] a read spans object and segments without a seam, wherever sealing fails: %s",
  async (contentType) => {
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 25 }), async (acts) => {
        const stream = new SealedStream(contentType)
        for (const one of acts) {
          await one(stream)
          const { numbers, offsets } = await stream.readAll()
          expect(numbers).toEqual(numbersFrom(0, stream.count))
          expect(offsets.toSorted()).toEqual(offsets)
          expect(stream.host.openStatements).toBe(0)
        }
        await stream.wake()
        expect((await stream.readAll()).numbers).toEqual(numbersFrom(0, stream.count))
      }),
      { numRuns: RUNS, seed: 2026 },
    )
  },
)

test.each(["application/json", "text/plain"])(
  "[SEAL1] a read may begin and end at any offset, sealed or not: %s",
  async (contentType) => {
    const [before, after] = [new SealedStream(contentType), new SealedStream(contentType)]
    for (const stream of [before, after]) for (let n = 0; n < 12; n++) stream.append(3)
    const offsets = offsetsOf(after)
    await after.wake()
    expect(after.store.objects.size).toBeGreaterThan(1)
    for (const [from, offset] of offsets.entries()) {
      expect((await after.readAll(offset)).numbers).toEqual(numbersFrom(from, after.count - from))
      const until = Math.min(from + 4, after.count)
      expect((await after.readAll(offset, offsets[until])).numbers).toEqual(numbersFrom(from, until - from))
    }
  },
)

test("[SEAL2] at each step at which sealing can fail nothing is lost, and the next time ends it", async () => {
  for (const call of ["put", "get"]) {
    for (const done of [false, true]) {
      const stream = new SealedStream()
      for (let n = 0; n < 12; n++) stream.append(3)
      stream.store.fails = (which, isDone) => which === call && isDone === done
      await stream.wake()
      expect(stream.core.reads.segments()).toMatchObject({ segments: [] })
      expect((await stream.readAll()).numbers).toEqual(numbersFrom(0, 36))
      stream.store.fails = () => false
      stream.evict()
      await stream.wake()
      expect((await stream.readAll()).numbers).toEqual(numbersFrom(0, 36))
      const { segments } = stream.core.reads.segments() as SegmentList
      expect(segments.length).toBeGreaterThan(1)
      expect([...stream.store.objects.keys()].toSorted()).toEqual(segments.map(({ key }) => key))
    }
  }
})

test("[SEAL2] a segment that does not read as it was stored is not let go of", async () => {
  const stream = new SealedStream()
  for (let n = 0; n < 12; n++) stream.append(3)
  const get = stream.store.get.bind(stream.store)
  stream.store.get = async (key) => {
    const object = await get(key)
    object?.set([0], object.length - 1)
    return object
  }
  await stream.wake()
  expect(stream.core.reads.segments()).toMatchObject({ segments: [] })
  stream.store.get = get
  expect((await stream.readAll()).numbers).toEqual(numbersFrom(0, 36))
})

test("[SEAL3] a damaged or missing segment is told as a failure, never read", async () => {
  const stream = new SealedStream()
  for (let n = 0; n < 12; n++) stream.append(3)
  await stream.wake()
  const [key] = [...stream.store.objects.keys()]
  stream.store.objects.get(key!)!.set([0x39], 3)
  await expect(stream.readAll()).rejects.toThrow(/missing or damaged/)
  stream.store.objects.delete(key!)
  await expect(stream.readAll()).rejects.toThrow(/missing or damaged/)
})

test("[SEAL1] appends go on while a segment is stored, and a stream made anew meanwhile is left alone", async () => {
  const stream = new SealedStream()
  for (let n = 0; n < 12; n++) stream.append(3)
  const put = stream.store.put.bind(stream.store)
  stream.store.put = async (key, object) => {
    stream.append(2)
    await put(key, object)
  }
  await stream.wake()
  expect((await stream.readAll()).numbers).toEqual(numbersFrom(0, stream.count))
  stream.store.put = async (key, object) => {
    await put(key, object)
    stream.core.delete()
    const claim = {
      contentType: "application/json",
      lifetime: { kind: "endless" },
      closed: false,
      retention: {},
      principal: undefined,
    } as const
    stream.core.create(claim, httpBody(Uint8Array.from(new TextEncoder().encode("[7]"))))
  }
  for (let n = 0; n < 12; n++) stream.append(3)
  await stream.wake()
  stream.store.put = put
  expect((await stream.readAll()).numbers).toEqual([7])
  await stream.wake()
  expect([...stream.store.objects.keys()]).toEqual([])
})

test("[SEAL4] the segments of a deleted stream are deleted, sooner or later", async () => {
  const stream = new SealedStream()
  for (let n = 0; n < 12; n++) stream.append(3)
  await stream.wake()
  stream.core.delete()
  expect(stream.host.alarm).toBe(stream.host.time)
  stream.store.fails = () => true
  await stream.wake()
  expect(stream.store.objects.size).toBeGreaterThan(0)
  stream.store.fails = () => false
  stream.evict()
  await stream.wake()
  expect(stream.store.objects.size).toBe(0)
})

test("[SEAL5] what is older than a stream keeps is let go of, and 410 names what is kept", async () => {
  const stream = new SealedStream("application/json", { ageMs: 1_000 })
  const [start] = offsetsOf(stream)
  for (let n = 0; n < 12; n++) stream.append(3)
  await stream.wake()
  stream.host.time += 600
  stream.append(3)
  expect((await stream.readAll()).numbers).toEqual(numbersFrom(0, 39))
  stream.host.time = stream.host.alarm ?? 0
  await stream.wake()
  const fault = stream.core.read({ offset: "-1" })
  expect(fault).toMatchObject({ kind: "trimmed" })
  expect(stream.core.read({ offset: start! })).toEqual(fault)
  const { earliest } = fault as { earliest: string }
  expect((await stream.readAll(earliest)).numbers).toEqual(numbersFrom(36, 3))
  expect(stream.store.objects.size).toBe(0)
})

test("[SEAL5] a stream that keeps so many bytes keeps at least those, in segments and in the object", async () => {
  const stream = new SealedStream("application/json", { bytes: 100 })
  for (let n = 0; n < 40; n++) {
    stream.append(3)
    if (n % 5 === 0) await stream.wake()
    const head = stream.core.head()
    if (head.kind !== "stream") throw new Error("the stream is there")
    const { earliest } = head.stream
    const kept = (
      await stream.readAll((stream.core.read({ offset: "-1" }) as { earliest?: string }).earliest ?? "-1")
    ).numbers
    expect(kept).toEqual(numbersFrom(earliest.position, stream.count - earliest.position))
    expect(kept.length * 5 + 5).toBeGreaterThanOrEqual(Math.min(100, stream.count * 5))
  }
  await stream.wake()
  expect(stream.store.objects.size).toBeLessThan(4)
})

/** The offset before each message, and after the last. */
function offsetsOf(stream: SealedStream): string[] {
  const twin = new SealedStream(stream.contentType)
  twin.host.time = stream.host.time
  const offsets: string[] = []
  for (let n = 0; n <= stream.count; n++) {
    const head = twin.core.head()
    if (head.kind === "stream") offsets.push(head.tail)
    twin.append(1)
  }
  return offsets
}
