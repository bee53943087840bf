import type { StreamPath } from "../../shared/ids.ts"
import type { OutboxKey } from "../../shared/outbox.ts"
import type { DeviceLog } from "../disk/log.ts"
import { NO_KEY } from "../disk/records.ts"
import { Deposed } from "../disk/terms.ts"
import type { Host } from "../host.ts"
import type { Replica } from "../replica/replica.ts"
import type { Replicas } from "../replica/replicas.ts"
import { Leader, type LeaderListener } from "../sync/leader.ts"
import type { Tokens } from "../sync/tokens.ts"
import { Candidate } from "./candidate.ts"
import { aborted } from "./lock.ts"
import type { Tabs } from "./tabs.ts"

/** Between two looks of the leader for what nobody has told of. Each reads the end of the outbox. */
const LOOK_MS_INTERVAL = 10_000

export interface LeadershipListener extends LeaderListener {
  /** This tab has begun, or ceased, to lead. */
  roleChanged(): void
  /** The disk did not let it lead. */
  cannotLead(reason: unknown): void
}

export type LeadershipParts = {
  readonly host: Host
  readonly edge: string
  readonly lockName: string
  readonly log: DeviceLog
  readonly tokens: Tokens | undefined
  readonly replicas: Replicas
  readonly tabs: Tabs
  /** Whether the app wants to stay off the network when a turn begins. */
  isPaused(): boolean
}

/** Whether this tab is the one that talks to the edge for all, and what it does while it is. */
export class Leadership {
  readonly #parts: LeadershipParts
  readonly #listener: LeadershipListener
  readonly #ended = new AbortController()
  readonly #candidate: Candidate
  #leader: Leader | undefined
  #resign: () => void = () => {}
  #stopLooking: () => void = () => {}

  constructor(parts: LeadershipParts, listener: LeadershipListener) {
    this.#parts = parts
    this.#listener = listener
    this.#candidate = new Candidate(parts.host, parts.lockName, this.#ended.signal, {
      lead: (over) => this.#lead(over),
      failed: (reason) => listener.cannotLead(reason),
      beat: () => parts.tabs.tell({ kind: "beat" }),
    })
  }

  get isLeading(): boolean {
    return this.#leader !== undefined
  }

  /** Another tab leads, and lives. */
  heardBeat(): void {
    this.#candidate.heard()
  }

  /** Keeps the stream in step, if this tab leads. */
  sync(replica: Replica): void {
    this.#leader?.sync(replica)
  }

  /** There are entries on the disk that wait for the edge. */
  appended(stream: StreamPath): void {
    this.#leader?.appended(stream)
  }

  setPaused(paused: boolean): void {
    this.#leader?.setPaused(paused)
  }

  /** The disk did not take what the leader has learnt. If that is because another leads by now, this one stops. */
  unsaved(reason: unknown): void {
    if (reason instanceof Deposed) this.#resign() // else the connection rests, says why, and comes again
  }

  /** Another tab may lead, or this one again. */
  resign(): void {
    this.#resign()
  }

  /** No request, socket, lock or timer is left when it returns. */
  close(): void {
    this.#ended.abort()
  }

  /** Leads until it is over or this tab resigns. */
  async #lead(over: AbortSignal): Promise<void> {
    const { log, replicas, tabs } = this.#parts
    const turn = new AbortController()
    this.#resign = () => turn.abort()
    const end = AbortSignal.any([over, turn.signal])
    const term = await log.claim()
    const { streams, upTo } = await log.owing(NO_KEY)
    await Promise.all([...new Set([...streams, ...replicas.wanted])].map((of) => replicas.takeOver(of)))
    if (end.aborted) return
    const leader = new Leader({ ...this.#parts, term }, this.#parts.isPaused(), this.#listener)
    this.#leader = leader
    end.addEventListener("abort", () => this.#stepDown(leader)) // at once: a lock that is lost is another's already
    for (const replica of replicas.all) leader.sync(replica)
    tabs.tell({ kind: "leading" })
    this.#listener.roleChanged()
    try {
      await this.#lookAround(leader, upTo)
      await aborted(end)
    } finally {
      turn.abort()
    }
  }

  #stepDown(leader: Leader): void {
    this.#stopLooking()
    leader.end()
    this.#leader = undefined
    if (!this.#ended.signal.aborted) this.#listener.roleChanged()
  }

  async #refresh(stream: StreamPath): Promise<void> {
    await this.#parts.replicas.refresh(stream)
    this.appended(stream)
  }

  /** Finds what was stored while nobody led, and what tabs store that end before they can tell of it. */
  async #lookAround(leader: Leader, seenTo: OutboxKey): Promise<void> {
    let upTo = seenTo
    try {
      const owing = await this.#parts.log.owing(seenTo)
      await Promise.all(owing.streams.map((stream) => this.#refresh(stream)))
      upTo = owing.upTo
    } finally {
      const again = () => this.#lookAround(leader, upTo).catch(() => {}) // the next look may find the disk in order
      if (this.#leader === leader) this.#stopLooking = this.#parts.host.after(LOOK_MS_INTERVAL, again)
    }
  }
}
