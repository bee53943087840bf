import type { Channel } from "../../client/host.ts"
import type { Owner } from "./disk.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

type Port = {
  readonly owner: Owner
  readonly listener: (message: unknown) => void
  isOpen: boolean
  lastAt: number
}

/** BroadcastChannels of one device: what one thread posts reaches all others, in order, a little later. */
export class Channels {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #ports = new Map<string, Set<Port>>()

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler
    this.#random = random
  }

  open(owner: Owner, name: string, listener: (message: unknown) => void): Channel {
    const port: Port = { owner, listener, isOpen: true, lastAt: 0 }
    const ports = this.#ports.get(name) ?? new Set<Port>()
    this.#ports.set(name, ports.add(port))
    return {
      post: (message) => {
        if (!port.isOpen) throw new Error("InvalidStateError: a closed channel posts nothing.")
        for (const other of ports) if (other !== port) this.#deliver(other, structuredClone(message))
      },
      close: () => {
        port.isOpen = false
        ports.delete(port)
      },
    }
  }

  abandon(owner: Owner): void {
    for (const ports of this.#ports.values()) {
      for (const port of ports) {
        if (port.owner !== owner) continue
        port.isOpen = false
        ports.delete(port)
      }
    }
  }

  #deliver(port: Port, message: unknown): void {
    const { now } = this.#scheduler
    port.lastAt = Math.max(now + this.#random.delay(0.3), port.lastAt + 0.001)
    this.#scheduler.after(port.lastAt - now, `tell ${port.owner.name} ${kindOf(message)}`, () => {
      port.owner.turn(() => {
        if (port.isOpen) port.listener(message)
      })
    })
  }
}

function kindOf(message: unknown): string {
  return String((message as { kind?: unknown }).kind) // tabs tell each other what has a kind
}
