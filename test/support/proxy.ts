import { connect, createServer, type Socket } from "node:net"

/** A wire between a browser and an edge that a test can cut, and mend. */
export type Wire = {
  /** The edge's address for whoever goes through the wire. */
  readonly url: string
  /** How many WebSockets go through the wire now. */
  webSockets(): number
  /** Ends all connections and refuses new ones. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function layWire(to: string): Promise<Wire> {
  const target = new URL(to)
  const sockets = new Set<Socket>()
  let isCut = false
  const upgraded = new Set<Socket>()
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    near.once("data", (request) => {
      if (/^upgrade: websocket/im.test(request.toString("latin1"))) upgraded.add(near)
    })
    const far = connect(Number(target.port), target.hostname)
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on("error", () => {}) // an end of its own is followed by "close"
      socket.on("close", () => {
        sockets.delete(socket)
        upgraded.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("The wire has no port.")
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    webSockets: () => upgraded.size,
    cut,
    mend: () => {
      isCut = false
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
