import type { AppendClaim } from "../../shared/append.ts"
import { LIMITS } from "../../shared/limits.ts"
import type { Offset } from "../../shared/offset.ts"
import type { Env } from "../../worker/env.ts"
import { app } from "../../worker/http/app.ts"
import { sha256 } from "../../worker/segments/r2-store.ts"
import { Sealer } from "../../worker/segments/sealer.ts"
import { httpBody } from "../../worker/stream/append-body.ts"
import type { CreateClaim } from "../../worker/stream/create.ts"
import type { ForkAsk, ForkClaim, ForkPoint } from "../../worker/stream/fork-claim.ts"
import type { ForkId } from "../../worker/stream/fork-record.ts"
import { Forking, type ForkPeer } from "../../worker/stream/forking.ts"
import { StreamCore } from "../../worker/stream/stream-core.ts"
import type { ReadAsk } from "../../worker/stream/stream-reads.ts"
import { MemoryHost } from "./memory-host.ts"
import { MemoryStore } from "./memory-store.ts"

/** What becomes of a call from one object to another. */
export type CallFate =
  | "answered"
  /** It is carried out, and its answer waits until the test lets it go. */
  | "held"
  /** It fails before it gets there. */
  | "unreached"
  /** It is carried out, and its answer is lost. */
  | "unanswered"
  /** The caller dies before it gets there. */
  | "dead before"
  /** It is carried out, and the caller dies before it hears of it. */
  | "dead after"

/** The production routes in front of streams in memory, with calls between them that a test lets fail. */
export class ForkEdge {
  readonly #objects = new Map<string, ForkObject>()
  /** The fates of the next calls; all after them are answered. */
  fates: CallFate[] = []
  calls = 0
  /** How many answers wait. */
  held = 0
  release: () => void = () => undefined
  readonly released = new Promise<void>((resolve) => {
    this.release = resolve
  })
  forks = 0
  objects = 0
  readonly segments = new MemoryStore()
  /** As routes use it. */
  readonly #env = {
    ACCESS: "open",
    STREAMS: { getByName: (name: string) => this.object(name) },
    SEGMENTS: {
      get: async (key: string) => {
        const object = await this.segments.get(key)
        return object === undefined ? null : { arrayBuffer: async () => object.buffer }
      },
    },
  } as unknown as Env

  object(path: string): ForkObject {
    const known = this.#objects.get(path)
    if (known !== undefined) return known
    const object = new ForkObject(this)
    this.#objects.set(path, object)
    return object
  }

  async ask(
    path: string,
    method: string,
    headers: Record<string, string> = {},
    text = "",
  ): Promise<Response> {
    const request = new Request(`http://localhost/v1/stream/${path}`, {
      method,
      headers,
      body: text === "" ? null : new TextEncoder().encode(text), // as bytes it has no type of its own
    })
    return app.fetch(request, this.#env)
  }

  /** Resolves when objects have nothing more to tell each other. */
  async settle(): Promise<void> {
    for (let before = -1; before !== this.calls; ) {
      before = this.calls
      await Promise.all([...this.#objects.values()].map((object) => object.told()))
    }
  }

  /** Lets so much time pass that every object has been woken as often as it asked to be. */
  async pass(ms: number): Promise<void> {
    const end = Math.max(...[...this.#objects.values()].map(({ host }) => host.time)) + ms
    for (const { host } of this.#objects.values()) host.time = Math.max(host.time, end - ms)
    for (;;) {
      const due = [...this.#objects.values()].filter(({ host }) => (host.alarm ?? Infinity) <= end)
      const next = due.toSorted((a, b) => (a.host.alarm ?? 0) - (b.host.alarm ?? 0))[0]
      if (next === undefined) break
      const at = next.host.alarm ?? end
      for (const { host } of this.#objects.values()) host.time = Math.max(host.time, at)
      next.host.alarm = undefined
      await next.alarm()
      await this.settle()
    }
    for (const { host } of this.#objects.values()) host.time = end
  }
}

/** One stream's object, as the platform runs it: it may be thrown out of memory, or die while others work for it. */
export class ForkObject {
  readonly host = new MemoryHost()
  readonly #edge: ForkEdge
  #core!: StreamCore
  #forking!: Forking
  #die!: (reason: Error) => void
  #death!: Promise<never>

  constructor(edge: ForkEdge) {
    this.#edge = edge
    this.host.name = `object-${edge.objects++}`
    this.host.bounds = { ...LIMITS, segmentBytes: 4, hotBytesMin: 0 }
    this.host.onLetGo = (fork) => this.#forking.letGo(fork)
    this.revive()
  }

  /** Its memory is gone, and with it what waited for an answer. */
  revive(): void {
    this.#die?.(new Error("the object died"))
    this.#death = new Promise((_, reject) => {
      this.#die = reject
    })
    this.#death.catch(() => undefined) // nobody may be waiting
    this.#core = new StreamCore(this.host)
    const newId = () => `fork-${this.#edge.forks++}` as ForkId
    this.#forking = new Forking({ forks: this.#core.forks, peer: (path) => this.#peer(path), newId })
  }

  get core(): StreamCore {
    return this.#core
  }

  create = (claim: CreateClaim, body: Uint8Array<ArrayBuffer>) => this.#core.create(claim, httpBody(body))
  append = (claim: AppendClaim, body: Uint8Array<ArrayBuffer>) => this.#core.append(claim, httpBody(body))
  read = (ask: ReadAsk) => this.#core.read(ask)
  readPart = (from: Offset, until: Offset, bytesMax: number) =>
    this.#core.reads.readPart(from, until, bytesMax)
  head = () => this.#core.head()
  existingFork = (claim: ForkClaim) => this.#core.forks.existing(claim)

  fork(path: string, claim: ForkClaim, point: ForkPoint, body: Uint8Array<ArrayBuffer>) {
    return this.#alive(this.#forking.create(path, claim, point, httpBody(body)))
  }

  async delete() {
    const outcome = this.#core.delete()
    await this.#alive(this.#forking.told())
    return outcome
  }

  grantFork = async (ask: ForkAsk) => this.#core.forks.grant(ask)
  dropFork = async (id: ForkId) => this.#core.forks.drop(id)
  holdsFork = async (id: ForkId) => this.#forking.holds(id)

  async alarm(): Promise<void> {
    await new Sealer({ seals: this.#core.seals, store: this.#edge.segments, digest: sha256 }).run()
    this.#core.expire()
    await this.#alive(this.#forking.look()).catch(() => undefined) // the platform rings again; a test lets time pass
  }

  told(): Promise<void> {
    return this.#alive(this.#forking.told()).catch(() => undefined) // the dead tell nobody
  }

  #alive<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#death])
  }

  #peer(path: string): ForkPeer {
    const other = () => this.#edge.object(path)
    return {
      grantFork: (ask) => this.#call(() => other().grantFork(ask)),
      dropFork: (id) => this.#call(() => other().dropFork(id)),
      holdsFork: (id) => this.#call(() => other().holdsFork(id)),
    }
  }

  async #call<T>(work: () => Promise<T>): Promise<T> {
    this.#edge.calls++
    const fate = this.#edge.fates.shift() ?? "answered"
    await Promise.resolve() // a call takes time
    if (fate === "unreached") throw new Error("the object cannot be reached")
    if (fate === "dead before") return this.#gone()
    const answer = await work()
    if (fate === "held") {
      this.#edge.held++
      await this.#edge.released
    }
    if (fate === "unanswered") throw new Error("the answer was lost")
    return fate === "dead after" ? this.#gone() : answer
  }

  #gone(): Promise<never> {
    this.revive()
    return new Promise(() => undefined) // nobody is left who could go on
  }
}
