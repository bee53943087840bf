import fc from "fast-check"
import { expect, test } from "vitest"
import { parseBatch } from "../../shared/batch.ts"
import { EMPTY_CHAIN, extendChain } from "../../shared/chain.ts"
import { good } from "../../shared/decoded.ts"
import { CLOSE, encodeAppendFrame } from "../../shared/frames.ts"
import type { Lifetime } from "../../shared/lifetime.ts"
import { issueOffset } from "../../shared/offset.ts"
import { httpBody } from "../../worker/stream/append-body.ts"
import type { AppendAsk } from "../../worker/stream/append-turn.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import { MemoryHost, type MemoryReader } from "./memory-host.ts"

const RUNS = Number(process.env.HEADWATER_RUNS ?? 200)

const JSON_TYPE = "application/json"
const CLAIM = {
  contentType: JSON_TYPE,
  producer: undefined,
  streamSeq: undefined,
  expectedOffset: undefined,
  close: false,
  principal: undefined,
}

const NEW = {
  contentType: JSON_TYPE,
  lifetime: { kind: "endless" },
  closed: false,
  retention: {},
  principal: undefined,
} as const

function body(text: string) {
  return httpBody(Uint8Array.from(new TextEncoder().encode(text)))
}

function newStream(lifetime: Lifetime = { kind: "endless" }) {
  const host = new MemoryHost()
  const core = new StreamCore(host)
  core.create({ ...NEW, lifetime }, body(""))
  return { host, core }
}

type Act = (world: World) => void

const batch = fc.record({
  count: fc.integer({ min: 1, max: 4 }),
  producer: fc.nat(2),
  skip: fc.constantFrom(-1, 0, 0, 0, 1), // a batch that was taken, the next one, one after a gap
  via: fc.nat(5),
})

type TestBatch = {
  readonly count: number
  readonly producer: number
  readonly skip: number
  readonly via: number
}

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.array(batch, { minLength: 1, maxLength: 4 }).map((batches) => (world: World) => world.append(batches)),
  fc.nat(6).map((back) => (world: World) => world.connect(back)),
  fc.constantFrom<Act>(
    (world) => world.evict(),
    (world) => world.read(),
  ),
)

/** A socket, where it began, and what was appended through it. */
type Follower = { readonly reader: MemoryReader; readonly start: number; readonly own: Map<number, number[]> }

/** One stream, and beside it the log that it should be. Messages are numbers, so that a message is its position. */
class World {
  readonly #host = new MemoryHost()
  readonly #followers: Follower[] = []
  readonly #log: number[] = []
  readonly #seqs = [0, 0, 0]
  #core = new StreamCore(this.#host)
  #appends = 0

  constructor() {
    this.#core.create(NEW, body(""))
  }

  /** Batches that come together. */
  append(batches: readonly TestBatch[]): void {
    this.#core.appendAll(batches.map((one) => this.#ask(one)))
  }

  #ask({ count, producer, skip, via }: TestBatch): AppendAsk {
    const id = this.#appends++
    const seq = Math.max(0, (this.#seqs[producer] ?? 0) + skip)
    const messages = Array.from({ length: count }, (_, n) => this.#log.length + n)
    if (seq === this.#seqs[producer]) {
      this.#log.push(...messages)
      this.#seqs[producer] = seq + 1
    }
    const origin = this.#followers[via]
    if (origin === undefined) {
      const claim = { ...CLAIM, producer: { id: `p${producer}`, epoch: 0, seq } }
      return { claim: good(claim), body: body(JSON.stringify(messages)) }
    }
    origin.own.set(id, messages)
    const header = { id, producer: `p${producer}`, epoch: 0, seq }
    return this.#core.asked(
      origin.reader,
      encodeAppendFrame({ t: "append", ...header, body: messages.join(",") }),
    )!
  }

  connect(back: number): void {
    const start = Math.max(0, this.#log.length - back)
    const reader = this.#host.socket()
    this.#core.connect(reader, this.#offset(start))
    this.#followers.push({ reader, start, own: new Map() })
  }

  evict(): void {
    this.#core = new StreamCore(this.#host)
  }

  read(): void {
    const page = this.#core.read({ offset: "-1" })
    expect(page.kind === "page" && JSON.parse(new TextDecoder().decode(page.body))).toEqual(this.#log)
  }

  check(): void {
    expect(this.#host.openStatements).toBe(0)
    for (const follower of this.#followers) {
      expect(heardBy(follower)).toEqual(this.#log.slice(follower.start))
      expect(hasNoGap(follower)).toBe(true)
    }
  }

  #offset(position: number): string {
    const head = this.#core.head()
    if (head.kind !== "stream") return ""
    const chain = extendChain(EMPTY_CHAIN, this.#log.slice(0, position).join(","))
    return issueOffset({ generation: head.stream.generation, position, chain })
  }
}

function heardBy({ reader, own }: Follower): unknown[] {
  return reader.frames.flatMap((frame) => {
    if (frame.t === "data") return parseBatch(String(frame.body))
    return frame.t === "reply" && frame.from !== undefined ? (own.get(frame.id) ?? []) : []
  })
}

/** Each frame that moves a reader begins where the one before it ended. */
function hasNoGap({ reader }: Follower): boolean {
  let at: string | undefined
  return reader.frames.every((frame) => {
    if (frame.t === "control") at = frame.next
    if (frame.t !== "data" && frame.t !== "reply") return true
    if (frame.from === undefined) return true
    const follows = at === undefined || frame.from === at
    at = frame.t === "data" ? frame.next : frame.headers["stream-next-offset"]
    return follows
  })
}

test("[EDGE12] every socket hears one log in order, whatever is appended, repeated, left out or evicted", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 40 }), (acts) => {
      const world = new World()
      for (const one of acts) {
        one(world)
        world.check()
      }
    }),
    { numRuns: RUNS, seed: 2026 },
  )
})

test("[EDGE10] a TTL counts from the last use, and an open socket is a use", () => {
  const { host, core } = newStream({ kind: "idle", seconds: 10 })
  host.time += 9_000
  expect(core.read({ offset: "-1" }).kind).toBe("page")
  host.time += 9_000
  expect(core.head().kind).toBe("stream")
  const reader = host.socket()
  core.connect(reader, "-1")
  host.time += 60_000
  core.expire()
  expect(core.head().kind).toBe("stream")
  expect(reader.closed).toBe(undefined)
  reader.close(CLOSE.done)
  host.time = host.alarm ?? 0
  core.expire()
  expect(core.head().kind).toBe("missing")
})

test("[EDGE10] the time of a stream counts from the end of its last socket, however long that was open", () => {
  const { host, core } = newStream({ kind: "idle", seconds: 10 })
  const reader = host.socket()
  core.connect(reader, "-1")
  host.time += 60_000
  reader.close(CLOSE.done)
  core.left()
  host.time += 9_000
  expect(core.head().kind).toBe("stream")
  host.time += 3_000
  expect(core.head().kind).toBe("missing")
})

test("[EDGE10] a batch that is sent again is a use, a refused one is none", () => {
  const { host, core } = newStream({ kind: "idle", seconds: 10 })
  const claim = { ...CLAIM, producer: { id: "p", epoch: 0, seq: 0 } }
  for (let n = 0; n < 3; n++) {
    expect(core.append(claim, body("1")).status).toBe(n === 0 ? 200 : 204)
    host.time += 9_000
  }
  expect(core.append(CLAIM, body("{")).status).toBe(400)
  host.time += 9_000
  expect(core.head().kind).toBe("missing")
})

test("[EDGE10] asking for the head is no use", () => {
  const { host, core } = newStream({ kind: "idle", seconds: 10 })
  for (let second = 0; second < 11; second++) {
    expect(core.head().kind).toBe("stream")
    host.time += 1_000
  }
  host.time += 1
  expect(core.head().kind).toBe("missing")
})

test("[WS10] sockets are closed when a stream's time is over", () => {
  const { host, core } = newStream()
  core.delete()
  core.create(
    {
      contentType: JSON_TYPE,
      lifetime: { kind: "until", at: host.now(), text: "" },
      closed: false,
      retention: {},
      principal: undefined,
    },
    body("[1]"),
  )
  const reader = host.socket()
  core.connect(reader, "-1")
  host.time = host.alarm ?? 0
  core.expire()
  expect(reader.closed).toEqual({ code: CLOSE.gone })
})

test("[EDGE4] generations rise though the clock goes back", () => {
  const { host, core } = newStream()
  const tails: string[] = []
  for (let n = 0; n < 5; n++) {
    const head = core.head()
    if (head.kind === "stream") tails.push(head.tail)
    core.delete()
    host.time -= 1_000
    core.create(NEW, body(""))
  }
  expect(tails.toSorted()).toEqual(tails)
  expect(new Set(tails).size).toBe(5)
  expect(core.read({ offset: tails[0] ?? "" }).kind).toBe("gone")
})
