import type { Socket, SocketListener } from "../../client/thread/host.ts"
import { SUBPROTOCOL } from "../../shared/frames.ts"
import type { Owner } from "./disk.ts"
import type { Edge, EdgeSocket } from "./edge.ts"
import { Pipe } from "./pipe.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

/** Who hears of the end of a connection that the network has cut. */
export type CutKind = "both hear" | "client is deaf" | "edge is deaf" | "both are deaf"

const LOST = 1006

export type ConnectionParts = {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly edge: Edge
  readonly delayMs: number
}

/** One socket between a tab and the edge, both ends and what is between them. */
export class Connection implements EdgeSocket {
  readonly url: URL
  readonly owner: Owner
  readonly #edge: Edge
  readonly #up: Pipe
  readonly #down: Pipe
  readonly #listener: SocketListener
  readonly #onEnd: (connection: Connection) => void
  #state: "opening" | "open" | "closed" = "opening"

  constructor(
    owner: Owner,
    url: string,
    listener: SocketListener,
    parts: ConnectionParts,
    onEnd: (connection: Connection) => void,
  ) {
    this.owner = owner
    this.url = new URL(url)
    this.#listener = listener
    this.#edge = parts.edge
    this.#onEnd = onEnd
    this.#up = new Pipe(parts.scheduler, parts.random, parts.delayMs)
    this.#down = new Pipe(parts.scheduler, parts.random, parts.delayMs)
    this.#up.send(this.#label("hello"), () => {
      if (this.#edge.isUp) this.#down.send(this.#label("opened"), () => this.#opened())
      this.#edge.open(this)
    })
  }

  /** Whether the tab still has it. */
  get isOpen(): boolean {
    return this.#state !== "closed"
  }

  send(frame: string): void {
    this.#down.send(this.#label("frame"), () => {
      if (this.#state === "open" && this.owner.isAlive) this.#listener.frame(frame)
    })
  }

  close(code: number = LOST): void {
    this.#down.send(this.#label(`closed ${code}`), () => this.#closed(code))
  }

  lost(): void {
    this.#down.cut(this.#label("lost"), () => this.#closed(LOST))
  }

  /** What a tab sees of it. */
  readonly client: Socket = {
    buffered: () => this.#up.waiting,
    send: (frame) => {
      if (this.#state === "opening") throw new Error("InvalidStateError: the socket is not open yet.")
      if (this.#state === "open")
        this.#up.send(this.#label("sent"), () => this.#edge.receive(this, frame), frame.length)
    },
    close: () => {
      if (this.#state === "closed") return
      this.#end()
      this.#up.send(this.#label("hung up"), () => this.#edge.hangUp(this))
    },
  }

  /** The network loses it: part of what is on the way still arrives. */
  cut(kind: CutKind): void {
    const clientHears = kind === "both hear" || kind === "edge is deaf"
    const edgeHears = kind === "both hear" || kind === "client is deaf"
    this.#down.cut(this.#label("cut"), clientHears ? () => this.#closed(LOST) : undefined)
    this.#up.cut(this.#label("cut at edge"), edgeHears ? () => this.#edge.hangUp(this) : undefined)
  }

  slow(delayMs: number): void {
    this.#up.slow(delayMs)
  }

  /** The network is away; TCP will try again. */
  hold(): void {
    this.#up.hold()
    this.#down.hold()
  }

  release(): void {
    this.#up.release()
    this.#down.release()
  }

  #opened(): void {
    if (this.#state !== "opening" || !this.owner.isAlive) return
    this.#state = "open"
    this.#listener.opened(SUBPROTOCOL)
  }

  #closed(code: number): void {
    if (this.#state === "closed") return
    this.#end()
    if (this.owner.isAlive) this.#listener.closed(code)
  }

  #end(): void {
    this.#state = "closed"
    this.#onEnd(this)
  }

  #label(what: string): string {
    return `${this.owner.name} ${what}`
  }
}
