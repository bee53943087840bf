import type { Socket, SocketListener } from "../../client/host.ts"
import { PING, SUBPROTOCOL } from "../../shared/frames.ts"
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
  readonly traffic: Traffic
  /** A batch leaves the tab. */
  sending(): void
}

/** Counts what tabs have sent to the edge, and what has arrived there. */
export type Traffic = { sent: number; arrived: number }

/** One socket between a tab and the edge, both ends and what is between them. */
export class Connection implements EdgeSocket {
  readonly url: URL
  readonly owner: Owner
  readonly #edge: Edge
  readonly #up: Pipe
  readonly #down: Pipe
  readonly #traffic: Traffic
  readonly #sending: () => void
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
    this.#traffic = parts.traffic
    this.#sending = parts.sending
    this.#up = new Pipe(parts.scheduler, parts.random, parts.delayMs)
    this.#down = new Pipe(parts.scheduler, parts.random, parts.delayMs)
    this.#sendUp("hello", () => {
      if (this.#edge.isUp) this.#down.send(this.#label("opened"), () => this.owner.turn(() => this.#opened()))
      this.#edge.open(this)
    })
  }

  /** Whether the tab still has it. */
  get isOpen(): boolean {
    return this.#state !== "closed"
  }

  send(frame: string): void {
    this.#down.send(this.#label("frame"), () => {
      this.owner.turn(() => {
        if (this.#state === "open") this.#listener.frame(frame)
      })
    })
  }

  close(code: number = LOST): void {
    this.#down.send(this.#label(`closed ${code}`), () => this.owner.turn(() => this.#closed(code)))
  }

  lost(): void {
    this.#down.cut(this.#label("lost"), () => this.owner.turn(() => this.#closed(LOST)))
  }

  /** What a tab sees of it. */
  readonly client: Socket = {
    buffered: () => this.#up.waiting,
    send: (frame) => {
      if (this.#state === "opening") throw new Error("InvalidStateError: the socket is not open yet.")
      if (this.#state !== "open") return
      if (frame !== PING) this.#sending()
      this.#sendUp("sent", () => this.#edge.receive(this, frame), frame.length)
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
    const hear = () => this.owner.turn(() => this.#closed(LOST))
    this.#down.cut(this.#label("cut"), clientHears ? hear : undefined)
    this.#up.cut(this.#label("cut at edge"), edgeHears ? () => this.#edge.hangUp(this) : undefined)
  }

  /** Neither end hears anything more, not even what is on the way. Gives what the edge would have heard. */
  lose(): (() => void)[] {
    this.#down.lose()
    return this.#up.lose()
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

  #sendUp(what: string, deliver: () => void, size = 0): void {
    this.#traffic.sent++
    const arrive = () => {
      this.#traffic.arrived++
      deliver()
    }
    this.#up.send(this.#label(what), arrive, size)
  }

  #opened(): void {
    if (this.#state !== "opening") return
    this.#state = "open"
    this.#listener.opened(SUBPROTOCOL)
  }

  #closed(code: number): void {
    if (this.#state === "closed") return
    this.#end()
    this.#listener.closed(code)
  }

  #end(): void {
    this.#state = "closed"
    this.#onEnd(this)
  }

  #label(what: string): string {
    return `${this.owner.name} ${what}`
  }
}
