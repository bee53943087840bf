import type { ErrorData } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { RejectedEntry } from "../disk/rejections.ts"
import type { Term } from "../disk/terms.ts"
import type { Host } from "../host.ts"
import type { Replica } from "../replica/replica.ts"
import type { ConnectionStatus } from "../status.ts"
import { EdgeStream } from "./edge.ts"
import { LogWriter } from "./log-writer.ts"
import { StreamSync } from "./sync.ts"
import type { Tokens } from "./tokens.ts"
import { WayToEdge } from "./way-to-edge.ts"

export interface LeaderListener {
  connectionChanged(stream: StreamPath, status: ConnectionStatus): void
  /** The disk has more of the stream's log. */
  saved(stream: StreamPath): void
  unsaved(stream: StreamPath, reason: unknown): void
  /** The edge takes nothing of this stream from this device; what waits stays. */
  stopped(stream: StreamPath, error: ErrorData): void
  /** The edge has refused entries for good: they are where the app finds them. */
  rejected(stream: StreamPath, entries: readonly RejectedEntry[]): void
}

/** What a leader leads with. */
export type Office = {
  readonly host: Host
  /** The edge's address. */
  readonly edge: string
  /** Undefined: the app has no tokens. */
  readonly tokens: Tokens | undefined
  readonly log: DeviceLog
  readonly term: Term
}

/** The one tab of an account that talks to the edge, for one term. */
export class Leader {
  readonly #office: Office
  readonly #listener: LeaderListener
  readonly #syncs = new Map<StreamPath, StreamSync>()
  readonly #way: WayToEdge
  readonly #stopHearing: () => void
  #paused: boolean

  constructor(office: Office, paused: boolean, listener: LeaderListener) {
    this.#office = office
    this.#paused = paused
    this.#listener = listener
    this.#way = new WayToEdge(office.host)
    this.#stopHearing = office.host.onOnline(() => this.#way.hope())
  }

  /** Keeps the stream in step from now on. The replica is as the disk is. */
  sync(replica: Replica): void {
    const { stream } = replica
    if (this.#syncs.has(stream)) return
    const { host, log, term, tokens } = this.#office
    const edge = new EdgeStream(host, this.#office.edge, stream, tokens, () => this.#way.reached())
    if (replica.restarts > 0) edge.doubtCaches()
    const writer = new LogWriter(log, term, replica, (entries) => this.#listener.rejected(stream, entries))
    const parts = { host, edge, replica, writer, way: this.#way }
    const sync: StreamSync = new StreamSync(parts, {
      changed: () => this.#listener.connectionChanged(stream, statusOf(sync)),
      saved: () => this.#listener.saved(stream),
      unsaved: (reason) => this.#listener.unsaved(stream, reason),
      stopped: (error) => this.#listener.stopped(stream, error),
    })
    this.#syncs.set(stream, sync)
    sync.input({ kind: this.#paused ? "paused" : "started" })
  }

  appended(stream: StreamPath): void {
    this.#syncs.get(stream)?.appended()
  }

  setPaused(paused: boolean): void {
    this.#paused = paused
    this.#each((sync) => sync.input({ kind: paused ? "paused" : "resumed" }))
  }

  /** No request, socket or timer is left when it returns. */
  end(): void {
    this.#stopHearing()
    this.#each((sync) => sync.input({ kind: "ended" }))
    this.#syncs.clear()
    this.#way.end()
  }

  #each(act: (sync: StreamSync) => void): void {
    for (const sync of this.#syncs.values()) act(sync)
  }
}

function statusOf({ state, lastError, tail }: StreamSync): ConnectionStatus {
  return {
    connection: state.kind,
    stopReason: state.kind === "stopped" ? state.reason : undefined,
    retryAt: state.kind === "waiting" ? state.retryAt : undefined,
    lastError,
    tail,
  }
}
