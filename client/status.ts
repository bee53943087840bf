import type { ConnectionState, StopReason } from "../shared/connection.ts"
import type { ErrorData } from "../shared/errors.ts"
import { isEvent } from "../shared/events.ts"
import type { Millis, StreamPath } from "../shared/ids.ts"
import { eventsBetween, type Offset } from "../shared/offset.ts"
import type { Halt } from "../shared/view/fold.ts"
import type { StorageState } from "./disk/storage-health.ts"

/** What a client knows of itself. Plain values, new with each change: cheap to show always. */
export type ClientStatus = {
  /** One tab of an account syncs for all. */
  readonly role: "leader" | "follower"
  /** Whether the app has asked to stay off the network. */
  readonly paused: boolean
  /**
   * The streams' connections, as one. `online`: some stream is live. `offline`: none is, and some have lost the edge
   * and wait. `connecting`: on the way. `idle`: no stream needs the network, or none is open.
   */
  readonly network: "online" | "connecting" | "offline" | "paused" | "idle"
  /** Events of this device that the edge has not confirmed, over all open streams; the same in bytes. */
  readonly pending: number
  readonly pendingBytes: number
  /** When the oldest of them was made, by this device's clock; undefined when there are none. */
  readonly pendingSince: Millis | undefined
  /** Events that the edge has refused, and that the app has neither dismissed nor appended anew. */
  readonly rejected: number
  /** What some stream's connection was last lost for, or stopped for; undefined when all is well. */
  readonly lastError: ErrorData | undefined
  readonly storage: StorageStatus
  readonly streams: Readonly<Record<string, StreamStatus>>
  /** Sources of this tab's views that stand still, each at an event that its handler cannot take. */
  readonly halts: readonly Halt[]
  /** This tab's views, those that are being opened included. */
  readonly views: readonly ViewStatus[]
}

export type ViewStatus = {
  readonly name: string
  /** How many messages are folded, of how many, while rows are being made; they show when they are whole. */
  readonly building: { readonly done: number; readonly total: number } | undefined
  /**
   * Whether the view began with rows of the edge, and if not, why. Undefined when the app has named no view there, and
   * when this device had rows of its own.
   */
  readonly edgeStart:
    | { readonly kind: "begun" }
    | { readonly kind: "not-begun"; readonly why: string }
    | undefined
}

/** What the leader knows of one stream's way to the edge. */
export type ConnectionStatus = {
  /** What the connection is doing. `live`: every event reaches this device as it happens. */
  readonly connection: ConnectionState["kind"]
  readonly stopReason: StopReason | undefined
  /** When a lost connection is tried again. */
  readonly retryAt: Millis | undefined
  /**
   * Why the connection was last lost; undefined again once it is live. On a live one `throttled`, while the edge takes
   * none of this device's events, and `stalled`, until it takes one after a stall.
   */
  readonly lastError: ErrorData | undefined
  /** Where the edge's log ended when it last said so; undefined when it has not since this leader began. */
  readonly tail: Offset | undefined
}

export type StreamStatus = ConnectionStatus & {
  /** Events of this device that the edge has not confirmed; the same in bytes. */
  readonly pending: number
  readonly pendingBytes: number
  /** When the oldest of them was made, by this device's clock; undefined when there are none. */
  readonly pendingSince: Millis | undefined
  /** Events that the edge has refused, and that the app has neither dismissed nor appended anew. */
  readonly rejected: number
  /** How far this device has read the edge's log. */
  readonly head: Offset
  /** How many messages of the edge's log this device has not read; undefined when it does not know. */
  readonly lag: number | undefined
}

/** What this browser keeps of the account, and how well. */
export type StorageStatus = {
  /**
   * `persistent`: kept until its user deletes it. `best-effort`: the browser may delete it when it runs out of space,
   * or when the site was not visited for a while. `memory`: the browser gives no storage, and all ends with this tab.
   */
  readonly level: "persistent" | "best-effort" | "memory"
  /** `outdated`: a newer version of the app has the database, and this page is to be loaded again. */
  readonly state: StorageState["kind"]
  /** What this site uses, and may use, as far as the browser says. */
  readonly usageBytes: number | undefined
  readonly quotaBytes: number | undefined
}

/** What the thread tells of it: the page knows its browser's storage by itself. */
export type ThreadStatus = Omit<ClientStatus, "storage">

/** Nobody has told this tab yet what the leader's connection does. */
export const UNKNOWN: ConnectionStatus = {
  connection: "idle",
  stopReason: undefined,
  retryAt: undefined,
  lastError: undefined,
  tail: undefined,
}

/** What a stream's status is made of, besides its connection. */
export type StreamFacts = {
  readonly stream: StreamPath
  readonly head: Offset
  readonly pendingEvents: number
  readonly pendingBytes: number
  readonly rejectedEvents: number
  readonly pending: readonly { readonly messages: readonly unknown[] }[]
}

export function streamStatus(facts: StreamFacts, connection: ConnectionStatus): StreamStatus {
  const { head, pendingEvents, pendingBytes, rejectedEvents } = facts
  return {
    ...connection,
    pending: pendingEvents,
    pendingBytes,
    pendingSince: madeAt(facts.pending[0]?.messages[0]),
    rejected: rejectedEvents,
    head,
    lag: connection.tail === undefined ? undefined : eventsBetween(head, connection.tail),
  }
}

type Whole = Pick<ThreadStatus, "role" | "paused" | "streams" | "halts" | "views">

/** Adds to the streams' states what they come to. */
export function withTotals(whole: Whole): ThreadStatus {
  const all = Object.values(whole.streams)
  const sum = (of: (status: StreamStatus) => number) => all.reduce((total, status) => total + of(status), 0)
  const since = all.flatMap(({ pendingSince }) => pendingSince ?? [])
  return {
    ...whole,
    network: networkOf(whole.paused, all),
    pending: sum(({ pending }) => pending),
    pendingBytes: sum(({ pendingBytes }) => pendingBytes),
    pendingSince: since.length === 0 ? undefined : (Math.min(...since) as Millis), // the least of some
    rejected: sum(({ rejected }) => rejected),
    lastError: all.find(({ lastError }) => lastError !== undefined)?.lastError,
  }
}

function networkOf(paused: boolean, streams: readonly StreamStatus[]): ClientStatus["network"] {
  const kinds = new Set(streams.map(({ connection }) => connection))
  if (paused) return "paused"
  if (kinds.has("live")) return "online"
  if (kinds.has("waiting")) return "offline"
  const isBusy = kinds.has("catching-up") || kinds.has("creating") || kinds.has("opening")
  return isBusy ? "connecting" : "idle"
}

/** An event's `time`, which is its maker's word. */
function madeAt(message: unknown): Millis | undefined {
  const at = isEvent(message) ? Date.parse(message.time) : Number.NaN
  return Number.isNaN(at) ? undefined : (at as Millis) // counts what Date.now counts
}
