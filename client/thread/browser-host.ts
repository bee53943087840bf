import { browserClock } from "../clock.ts"
import { freeSnapshots, openIdbSnapshots } from "../disk/idb-snapshots.ts"
import { openIdbStorage } from "../disk/idb-storage.ts"
import { NO_SNAPSHOTS } from "../disk/snapshots.ts"
import { StorageWithSpareRoom } from "../disk/spare-room.ts"
import type { Host, LockOptions, Socket, SocketListener } from "../host.ts"
import { loadSqlite } from "../state/sqlite.ts"
import { isWebKit } from "./is-webkit.ts"

/** The engine's outside, as a Web Worker has it. */
export const browserHost: Host = {
  ...browserClock,
  chance: Math.random,
  newId: () => crypto.randomUUID(),
  fetch: (url, init) => fetch(url, init),
  openSocket,
  openStorage: async (name) =>
    new StorageWithSpareRoom(await openIdbStorage(name), () => freeSnapshots(name)),
  // WebKit's IndexedDB stands still when a page with a second database ends as it writes: docs/browsers.md
  openSnapshots: (log) => (isWebKit() ? NO_SNAPSHOTS : openIdbSnapshots(log)),
  openSql: async (image) => (await loadSqlite()).open(image),
  digest: async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)), // it is one
  turn,
  lock,
  onOnline(listener) {
    addEventListener("online", listener)
    return () => removeEventListener("online", listener)
  },
  openChannel(name, listener) {
    const channel = new BroadcastChannel(name)
    channel.onmessage = ({ data }) => listener(data)
    return { post: (message) => channel.postMessage(message), close: () => channel.close() }
  },
}

/** Behind whatever waits for this thread. A timer would do, but browsers make those wait. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(null)
  })
}

function openSocket(url: string, protocols: string[], listener: SocketListener): Socket {
  const socket = new WebSocket(url, protocols)
  socket.onopen = () => listener.opened(socket.protocol)
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") listener.frame(data)
  }
  socket.onclose = ({ code }) => listener.closed(code)
  return {
    send: (frame) => socket.send(frame),
    buffered: () => socket.bufferedAmount,
    close() {
      socket.onopen = socket.onmessage = socket.onclose = null
      socket.close()
    },
  }
}

/** A request ends with an AbortError when its waiting is ended, and when its lock is taken away. */
function lock(
  name: string,
  { signal, steal }: LockOptions,
  held: (lost: AbortSignal) => Promise<void>,
): void {
  if (signal.aborted) return
  const lost = new AbortController()
  const options = steal ? { steal } : { signal } // the platform does not take both
  navigator.locks
    .request(name, options, () => held(lost.signal))
    .catch((reason: unknown) => {
      lost.abort()
      if (!(reason instanceof DOMException && reason.name === "AbortError")) throw reason
    })
}
