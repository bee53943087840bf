import type { ErrorData } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { Channel, Host } from "../host.ts"
import type { ConnectionStatus } from "../status.ts"

/** What the tabs of one account tell each other. The facts are on the shared disk; this says when to look. */
export type TabMessage =
  /** The leader lives. */
  | { readonly kind: "beat" }
  /** Entries of this stream were stored. */
  | { readonly kind: "appended"; readonly stream: StreamPath }
  /** The leader has stored more of this stream's log. */
  | { readonly kind: "saved"; readonly stream: StreamPath }
  /** Less of this stream's log is on the disk than the leader has stored: the rest was damaged. */
  | { readonly kind: "repaired"; readonly stream: StreamPath }
  /** A tab wants this stream to be synced. */
  | { readonly kind: "wanted"; readonly stream: StreamPath }
  /** A new leader asks which streams are wanted. */
  | { readonly kind: "leading" }
  /** What the leader's connection of a stream does. */
  | { readonly kind: "connection"; readonly stream: StreamPath; readonly status: ConnectionStatus }
  /** The app wants, or does not want, the network. */
  | ({ readonly kind: "paused" } & Pause)
  /** The stream takes nothing from this device, for now or for ever. */
  | { readonly kind: "stopped"; readonly stream: StreamPath; readonly error: ErrorData }
  /** This stream's log has gone back to an earlier place, or ahead to a later one, and the leader's term is over. */
  | { readonly kind: "recovered"; readonly stream: StreamPath }
  /** Views of these terms pass over one more event. */
  | { readonly kind: "skipped"; readonly view: string }
  /** The list of refused entries of this stream is another. */
  | { readonly kind: "rejected"; readonly stream: StreamPath }

/** The app's word on the network, and how many words of it came before: what is older than a tab knows is ignored. */
export type Pause = { readonly paused: boolean; readonly turn: number }

/** Whether one word replaces another. Of two that were said at once, to stay off the network is the safer one. */
export function isNewer(said: Pause, known: Pause): boolean {
  return said.turn > known.turn || (said.turn === known.turn && said.paused && !known.paused)
}

/** Opens the way to the other tabs of this account. Once it is closed, what is told is told to nobody. */
export function openTabs(host: Host, name: string, hear: (message: TabMessage) => void): Tabs {
  const channel: Channel = host.openChannel(name, (message) => hear(message as TabMessage)) // only tabs know its name
  let isOpen = true
  return {
    tell(message) {
      if (isOpen) channel.post(message)
    },
    close() {
      isOpen = false
      channel.close()
    },
  }
}

export type Tabs = { tell(message: TabMessage): void; close(): void }
