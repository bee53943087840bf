import { connect, createServer } from "node:net"
import { Connection, type Harmer, type Strike } from "./chaos-connection.ts"

export type { Harm, Strike, Way } from "./chaos-connection.ts"

/** A strike that waits for its message. */
export type Armed = {
  readonly hasStruck: () => boolean
  /** When it strikes, as `performance.now` counts. */
  readonly struck: Promise<number>
  /** When the client has let go of the connection that was struck. */
  readonly abandoned: Promise<number>
}

/** A wire between clients and an edge that harms what goes through it, at the ends of messages. */
export type ChaosWire = {
  /** The edge's address for whoever goes through the wire. */
  readonly url: string
  /** How many WebSockets go through the wire now. */
  webSockets(): number
  /** Lets a fault happen, once, to whichever connection brings it about. Everything after it is in order. */
  arm(strike: Strike): Armed
  /** What clients send on the WebSockets that there are arrives only after the call of what is given back. */
  hold(): () => void
  /** How many bytes from clients are being held. */
  held(): number
  /** Ends all connections and refuses new ones, until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function layChaosWire(to: string): Promise<ChaosWire> {
  const target = new URL(to)
  const connections = new Set<Connection>()
  let ambush: Ambush | undefined
  let isCut = false
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = connect(Number(target.port), target.hostname)
    const isLatest = () => sockets().at(-1) === connection // one that is on its way out is past harm
    const connection: Connection = new Connection(near, far, (end) =>
      end.carrier === "http" || isLatest() ? ambush?.meets(end) : undefined,
    )
    connections.add(connection)
    connection.closed.then(() => connections.delete(connection))
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("The wire has no port.")
  const sockets = () => [...connections].filter(({ up }) => up.isUpgraded)
  const cut = () => {
    isCut = true
    for (const connection of connections) connection.cut()
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    webSockets: () => sockets().length,
    arm(strike) {
      ambush = new Ambush(strike)
      return ambush
    },
    hold() {
      const releases = sockets().map(({ up }) => up.hold())
      return () => {
        for (const release of releases) release()
      }
    },
    held: () => [...connections].reduce((sum, { up }) => sum + up.held, 0),
    cut,
    mend() {
      isCut = false
    },
    async close() {
      cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

class Ambush implements Armed, Harmer {
  readonly struck: Promise<number>
  readonly abandoned: Promise<number>
  readonly strike: Strike
  #left: number
  #isStruck = false
  #tellStruck: (at: number) => void = () => {}
  #tellAbandoned: (at: number) => void = () => {}

  constructor(strike: Strike) {
    this.strike = strike
    this.#left = strike.message
    this.struck = new Promise((resolve) => {
      this.#tellStruck = resolve
    })
    this.abandoned = new Promise((resolve) => {
      this.#tellAbandoned = resolve
    })
  }

  hasStruck(): boolean {
    return this.#isStruck
  }

  /** Whether the message that ends there is the one. */
  meets({ carrier, way }: Pick<Strike, "carrier" | "way">): Ambush | undefined {
    if (carrier !== this.strike.carrier || way !== this.strike.way) return undefined
    return this.#left-- === 0 ? this : undefined
  }

  happened(connection: Connection): void {
    this.#isStruck = true
    this.#tellStruck(performance.now())
    connection.left.then(() => this.#tellAbandoned(performance.now()))
  }
}
