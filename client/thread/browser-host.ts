import type { Millis } from "../../shared/ids.ts"
import { loadSqlite } from "../state/sqlite.ts"
import type { Host, Socket, SocketListener } from "./host.ts"
import { openIdbStorage } from "./idb-storage.ts"

/** The engine's outside, as a Web Worker has it. */
export const browserHost: Host = {
  now: () => Date.now() as Millis, // what Date.now counts is what Millis means
  chance: Math.random,
  newId: () => crypto.randomUUID(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  fetch: (url, init) => fetch(url, init),
  openSocket,
  openStorage: openIdbStorage,
  openSql: async () => (await loadSqlite()).open(),
  lock(name, signal, held) {
    navigator.locks.request(name, { signal }, held).catch((reason: unknown) => {
      if (!signal.aborted) throw reason
    })
  },
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
  socket.onopen = () => listener.opened()
  socket.onmessage = ({ data }) => {
    if (typeof data === "string") listener.frame(data)
  }
  socket.onclose = ({ code }) => listener.closed(code)
  return {
    send: (frame) => socket.send(frame),
    close() {
      socket.onopen = socket.onmessage = socket.onclose = null
      socket.close()
    },
  }
}
