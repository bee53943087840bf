import fc from "fast-check"
import { expect, test } from "vitest"
import { parseBatch } from "../../shared/batch.ts"
import { CLOSE } from "../../shared/frames.ts"
import { ForkEdge } from "./fork-edge.ts"

/*
 * Random trees of forks beside a model: fork any stream at any message, append to any, delete any, throw any out of
 * memory, let any seal its old batches. A message is a number that no other message has.
 */

const RUNS = Number(process.env.HEADWATER_RUNS ?? 60)

type Act = (world: World) => Promise<void>

const pick = fc.nat(1_000)

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.tuple(pick, fc.integer({ min: 1, max: 4 })).map(
      ([n, count]): Act =>
        (world) =>
          world.append(n, count),
    ),
  },
  {
    weight: 3,
    arbitrary: fc.tuple(pick, pick, pick, fc.nat(2)).map(
      ([n, at, anchor, count]): Act =>
        (world) =>
          world.fork(n, at, anchor, count),
    ),
  },
  {
    weight: 1,
    arbitrary: pick.map(
      (n): Act =>
        (world) =>
          world.delete(n),
    ),
  },
  {
    weight: 1,
    arbitrary: pick.map(
      (n): Act =>
        async (world) =>
          world.evict(n),
    ),
  },
  {
    weight: 2,
    arbitrary: pick.map(
      (n): Act =>
        (world) =>
          world.seal(n),
    ),
  },
)

type Branch = {
  readonly path: string
  readonly source: Branch | undefined
  /** How many of its messages it has from its source. */
  readonly base: number
  readonly log: number[]
  /** Its offsets by position, as far as the edge has told. */
  readonly offsets: Map<number, string>
  state: "live" | "deleted" | "removed"
}

class World {
  readonly edge = new ForkEdge()
  readonly branches: Branch[] = []
  #messages = 0

  async begin(): Promise<void> {
    const response = await this.edge.ask("root", "PUT", { "content-type": "application/json" })
    this.branches.push(branch("root", undefined, [], new Map([[0, nextOf(response)]])))
  }

  async append(n: number, count: number): Promise<void> {
    const target = this.#live(n)
    if (target === undefined) return
    const messages = this.#news(count)
    const headers = { "content-type": "application/json" }
    const response = await this.edge.ask(target.path, "POST", headers, JSON.stringify(messages))
    expect(response.status).toBe(204)
    target.log.push(...messages)
    target.offsets.set(target.log.length, nextOf(response))
  }

  /** Forks at any message: at a known offset before it, and so many messages past that. */
  async fork(n: number, at: number, anchor: number, count: number): Promise<void> {
    const source = this.#live(n)
    if (source === undefined) return
    const position = at % (source.log.length + 1)
    const anchors = [...source.offsets].filter(([known]) => known <= position)
    const [before, offset] = anchors[anchor % anchors.length] ?? [0, "-1"]
    const path = `fork-${this.branches.length}`
    const headers = {
      "stream-forked-from": `/v1/stream/${source.path}`,
      "stream-fork-offset": offset,
      "stream-fork-sub-offset": String(position - before),
    }
    const messages = this.#news(count)
    const response = await this.edge.ask(path, "PUT", headers, JSON.stringify(messages))
    expect(response.status).toBe(201)
    const inherited = [...source.offsets].filter(([known]) => known <= position)
    const log = [...source.log.slice(0, position), ...messages]
    const offsets = new Map([...inherited, [log.length, nextOf(response)]])
    this.branches.push(branch(path, source, log, offsets, position))
    expect((await this.edge.ask(path, "PUT", headers)).status).toBe(200)
  }

  async delete(n: number): Promise<void> {
    const target = this.#live(n)
    if (target === undefined || this.branches.filter(({ state }) => state === "live").length === 1) return
    expect((await this.edge.ask(target.path, "DELETE")).status).toBe(204)
    target.state = "deleted"
    await this.edge.settle()
    for (const one of this.branches.toReversed()) {
      const isNeeded = this.branches.some(({ source, state }) => source === one && state !== "removed")
      if (one.state === "deleted" && !isNeeded) one.state = "removed" // forks stand after their sources
    }
  }

  evict(n: number): void {
    const target = this.branches[n % this.branches.length]
    if (target !== undefined) this.edge.object(target.path).revive()
  }

  /** Lets the object do what is due: old batches leave it in segments of a few messages. */
  async seal(n: number): Promise<void> {
    const target = this.branches[n % this.branches.length]
    if (target !== undefined) await this.edge.object(target.path).alarm()
  }

  async check(): Promise<void> {
    for (const one of this.branches) {
      const { status } = await this.edge.ask(one.path, "HEAD")
      expect({ path: one.path, status }).toEqual({ path: one.path, status: STATUS[one.state] })
      if (one.state !== "live") continue
      expect(await this.#read(one.path, "-1")).toEqual(one.log)
      for (const [position, offset] of one.offsets) {
        expect(await this.#read(one.path, offset)).toEqual(one.log.slice(position))
        const heard = this.#socket(one, offset)
        if (position < one.base) expect(heard).toBe("behind")
        else if (heard !== "behind") expect(heard).toEqual(one.log.slice(position))
        else expect(this.edge.segments.objects.size).toBeGreaterThan(0) // a socket carries what is in the object
      }
    }
    await this.#checkOffsetsOfOthers()
  }

  /** An offset of one branch is one of another as far as their logs are one, and nowhere else. */
  async #checkOffsetsOfOthers(): Promise<void> {
    for (const one of this.branches.filter(({ state }) => state === "live")) {
      for (const other of this.branches) {
        for (const [position, offset] of other.offsets) {
          const isShared = one.offsets.get(position) === offset || position <= sharedBy(one, other)
          const { status } = await this.edge.ask(`${one.path}?offset=${offset}`, "GET")
          expect({ path: one.path, of: other.path, position, status }).toMatchObject({
            status: isShared ? 200 : 410,
          })
        }
      }
    }
  }

  /** All pages from an offset on. */
  async #read(path: string, offset: string): Promise<unknown[]> {
    const messages: unknown[] = []
    for (let at = offset; ; ) {
      const response = await this.edge.ask(`${path}?offset=${at}`, "GET")
      expect(response.status).toBe(200)
      messages.push(...((await response.json()) as unknown[]))
      if (response.headers.get("stream-up-to-date") === "true") return messages
      at = nextOf(response)
    }
  }

  #socket({ path }: Branch, offset: string): unknown {
    const { host, core } = this.edge.object(path)
    const reader = host.socket()
    core.connect(reader, offset)
    if (reader.closed?.code === CLOSE.behind) return "behind"
    reader.close(CLOSE.done)
    return reader.frames.flatMap((frame) => (frame.t === "data" ? parseBatch(String(frame.body)) : []))
  }

  #live(n: number): Branch | undefined {
    const live = this.branches.filter(({ state }) => state === "live")
    return live[n % live.length]
  }

  #news(count: number): number[] {
    return Array.from({ length: count }, () => this.#messages++)
  }
}

const STATUS = { live: 200, deleted: 410, removed: 404 } as const

function branch(
  path: string,
  source: Branch | undefined,
  log: number[],
  offsets: Map<number, string>,
  base = 0,
): Branch {
  return { path, source, base, log, offsets, state: "live" }
}

/** Up to which position two branches have their messages from the same stream. */
function sharedBy(one: Branch, other: Branch): number {
  let shared = -1
  for (
    let a: Branch | undefined = one, upToA = one.log.length;
    a !== undefined;
    upToA = Math.min(upToA, a.base), a = a.source
  ) {
    for (
      let b: Branch | undefined = other, upToB = other.log.length;
      b !== undefined;
      upToB = Math.min(upToB, b.base), b = b.source
    ) {
      if (a === b) shared = Math.max(shared, Math.min(upToA, upToB))
    }
  }
  return shared
}

function nextOf(response: Response): string {
  return response.headers.get("stream-next-offset") ?? ""
}

test("[FORK1] [FORK2] [SEAL1] every stream of a tree of forks reads as if it held all of its log itself", async () => {
  let sealed = 0
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 5, maxLength: 30 }), async (acts) => {
      const world = new World()
      await world.begin()
      for (const one of acts) await one(world)
      await world.check()
      if (world.edge.segments.objects.size > 0) sealed++
    }),
    { numRuns: RUNS, seed: 2026 },
  )
  expect(sealed).toBeGreaterThan(RUNS / 10) // or this shows nothing of segments
})
