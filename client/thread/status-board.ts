import type { ErrorData } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Halt } from "../../shared/view/fold.ts"
import type { Host } from "../host.ts"
import type { Notice, StatusNotice } from "../port.ts"
import type { Replica } from "../replica/replica.ts"
import {
  type ClientStatus,
  type ConnectionStatus,
  type StreamStatus,
  streamStatus,
  UNKNOWN,
  type ViewStatus,
  withTotals,
} from "../status.ts"

/** How long changes gather before the page is told: a status is for eyes. */
const GATHER_MS = 16

/** What the status is made of, besides the connections. */
export type StatusSource = () => {
  readonly role: ClientStatus["role"]
  readonly paused: boolean
  readonly replicas: Iterable<Replica>
  readonly halts: readonly Halt[]
  readonly views: readonly ViewStatus[]
  /** How often the page has shown what it appends. */
  readonly shows: number
}

/** Gathers what is known of the client and tells it, at a pace that eyes can follow. */
export class StatusBoard {
  readonly #host: Pick<Host, "after">
  readonly #source: StatusSource
  readonly #notify: (notice: Notice) => void
  readonly #connections = new Map<StreamPath, ConnectionStatus>()
  #stopTimer: (() => void) | undefined

  constructor(host: Pick<Host, "after">, source: StatusSource, notify: (notice: Notice) => void) {
    this.#host = host
    this.#source = source
    this.#notify = notify
  }

  connection(stream: StreamPath): ConnectionStatus | undefined {
    return this.#connections.get(stream)
  }

  setConnection(stream: StreamPath, status: ConnectionStatus): void {
    this.#connections.set(stream, status)
    this.changed()
  }

  /** Something went wrong on this side of the connection. */
  setError(stream: StreamPath, lastError: ErrorData): void {
    this.setConnection(stream, { ...(this.#connections.get(stream) ?? UNKNOWN), lastError })
  }

  /** What the source says is another. */
  changed(): void {
    this.#stopTimer ??= this.#host.after(GATHER_MS, () => {
      this.#stopTimer = undefined
      this.#notify(this.#notice())
    })
  }

  /** Nothing is told any more. */
  close(): void {
    this.#stopTimer?.()
    this.#stopTimer = () => {} // as if a timer ran: no other is started
  }

  #notice(): StatusNotice {
    const { role, paused, replicas, halts, views, shows } = this.#source()
    const streams: Record<string, StreamStatus> = {}
    for (const replica of replicas)
      streams[replica.stream] = streamStatus(replica, this.#connections.get(replica.stream) ?? UNKNOWN)
    return { kind: "status", status: withTotals({ role, paused, streams, halts, views }), shows }
  }
}
