import type { Socket } from "node:net"
import { type Carrier, MessageScanner } from "./message-scanner.ts"

/** To the edge, or from it. */
export type Way = "up" | "down"

/** What is done to a connection. */
export type Harm =
  /** Both ends are closed. */
  | "cut"
  /** Both ends are told that there never was such a connection. */
  | "reset"
  /** The receiver gets what came so far, and a clean end. */
  | "truncate"
  /** What comes waits for `ms`. */
  | "delay"
  /** The client loses its connection, and what it had sent arrives `ms` later. */
  | "late"
  /** Nothing passes any more, and nobody is told. */
  | "half-open"
  /** The same in one direction only. */
  | "deaf"

/** One fault: when `message` messages of that carrier and way have passed, moved by so many bytes. */
export type Strike = {
  readonly harm: Harm
  readonly carrier: Carrier
  readonly way: Way
  readonly message: number
  readonly shift: -1 | 0 | 1
  readonly ms: number
}

/** How long the frames of a client gather that are to be late. */
const GATHER_MS = 50

/** Who wants a connection to be harmed. */
export interface Harmer {
  readonly strike: Strike
  happened(connection: Connection): void
}

/** Hears of the end of each message. Answers who wants harm to be done there. */
type OnEnd = (end: Pick<Strike, "carrier" | "way">) => Harmer | undefined

/** One connection of a client, and the one to the edge that stands for it. */
export class Connection {
  readonly up: Lane
  readonly #down: Lane
  readonly #near: Socket
  readonly #far: Socket
  /** The client has gone, or was sent away. */
  readonly left: Promise<void>
  readonly closed: Promise<unknown>
  /** Nobody is told what becomes of the other. */
  #isBroken = false

  constructor(near: Socket, far: Socket, meets: OnEnd) {
    this.#near = near
    this.#far = far
    for (const socket of [near, far]) socket.on("error", () => {}) // an end of its own is followed by "close"
    const asked: string[] = []
    this.up = new Lane(
      near,
      far,
      (carrier) => meets({ carrier, way: "up" }),
      (at) => this.#harm(at),
      asked,
    )
    this.#down = new Lane(
      far,
      near,
      (carrier) => meets({ carrier, way: "down" }),
      (at) => this.#harm(at),
      asked,
    )
    this.left = new Promise((resolve) => near.once("close", () => resolve()))
    this.closed = Promise.all([this.left, new Promise((resolve) => far.once("close", resolve))])
    near.once("close", () => this.up.finish())
    far.once("close", () => {
      if (!this.#isBroken) near.destroy()
    })
  }

  cut(): void {
    this.#near.destroy()
    this.#far.destroy()
  }

  #harm(harmer: Harmer): void {
    const { harm, way, ms } = harmer.strike
    const lane = way === "up" ? this.up : this.#down
    harmer.happened(this)
    switch (harm) {
      case "cut":
        return this.cut()
      case "reset":
        this.#near.resetAndDestroy()
        this.#far.resetAndDestroy()
        return
      case "truncate":
        return lane.truncate()
      case "delay":
        return void setTimeout(lane.hold(), ms)
      case "late":
        setTimeout(this.up.hold(), ms)
        setTimeout(() => this.#near.resetAndDestroy(), GATHER_MS)
        return
      case "half-open":
        this.#isBroken = true
        this.up.lose()
        this.#down.lose()
        return
      case "deaf":
        this.#isBroken = true
        return lane.lose()
    }
  }
}

/** One direction of a connection. */
class Lane {
  readonly #to: Socket
  readonly #scanner: MessageScanner
  readonly #meets: (carrier: Carrier) => Harmer | undefined
  readonly #harm: (harmer: Harmer) => void
  /** Bytes that have come. */
  #come = 0
  #next: { readonly harmer: Harmer; readonly at: number } | undefined
  #holds = 0
  #held: Buffer[] = []
  #isLost = false
  #isFinished = false

  constructor(
    from: Socket,
    to: Socket,
    meets: (carrier: Carrier) => Harmer | undefined,
    harm: (harmer: Harmer) => void,
    asked: string[],
  ) {
    this.#to = to
    this.#scanner = new MessageScanner(asked)
    this.#meets = meets
    this.#harm = harm
    from.on("data", (chunk) => this.#take(chunk as Buffer)) // no encoding was set
  }

  get isUpgraded(): boolean {
    return this.#scanner.isUpgraded
  }

  get held(): number {
    return this.#held.reduce((sum, { length }) => sum + length, 0)
  }

  /** What comes waits until the call of what is given back. */
  hold(): () => void {
    this.#holds++
    return () => {
      this.#holds--
      if (this.#holds > 0) return
      for (const chunk of this.#held.splice(0)) this.#pass(chunk)
      if (this.#isFinished) this.#to.end()
    }
  }

  /** Nothing passes any more. */
  lose(): void {
    this.#isLost = true
  }

  truncate(): void {
    this.lose()
    this.#to.end()
  }

  /** Nothing more will come. What waits still arrives. */
  finish(): void {
    this.#isFinished = true
    if (this.#holds === 0) this.#to.end()
  }

  #take(chunk: Buffer): void {
    const begin = this.#come
    this.#come += chunk.length
    for (const { at, carrier } of this.#scanner.take(chunk)) {
      const harmer = this.#meets(carrier)
      if (harmer !== undefined) this.#next = { harmer, at: at + harmer.strike.shift }
    }
    const next = this.#next
    if (next === undefined || next.at > this.#come) return this.#pass(chunk)
    this.#next = undefined
    const before = Math.max(0, next.at - begin)
    this.#pass(chunk.subarray(0, before))
    this.#harm(next.harmer)
    this.#pass(chunk.subarray(before))
  }

  #pass(chunk: Buffer): void {
    if (this.#isLost || chunk.length === 0) return
    if (this.#holds > 0) this.#held.push(chunk)
    else if (this.#to.writable) this.#to.write(chunk)
  }
}
