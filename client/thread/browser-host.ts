import { browserClock } from "../clock.ts"
import { openIdbStorage } from "../disk/idb-storage.ts"
import type { Host, LockOptions, Socket, SocketListener } from "../host.ts"
import { loadSqlite } from "../state/sqlite.ts"

/** The engine's outside, as a Web Worker has it. */
export const browserHost: Host = {
  ...browserClock,
  chance: Math.random,
  newId: () => crypto.randomUUID(),
  fetch: (url, init) => fetch(url, init),
  openSocket,
  openStorage: (name) => openIdbStorage(name),
  openSql: async () => (await loadSqlite()).open(),
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
