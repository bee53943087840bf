import { Channels } from "./channels.ts"
import { Disk, type DiskWatcher, type Owner } from "./disk.ts"
import type { Edge } from "./edge.ts"
import { Locks } from "./locks.ts"
import { Network } from "./network.ts"
import { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"
import { DeviceSnapshots } from "./snapshots.ts"
import type { Trace } from "./trace.ts"

export type DeviceParts = {
  readonly seed: number
  readonly scheduler: Scheduler
  readonly trace: Trace
  readonly edge: Edge
  readonly watchDisk: DiskWatcher
}

/** One browser profile: what its tabs share. */
export class Device {
  readonly name: string
  readonly disk: Disk
  readonly network: Network
  readonly locks: Locks
  readonly channels: Channels
  readonly snapshots: DeviceSnapshots
  /** Whose disk this one's was copied from. */
  readonly #origin: Device | undefined
  readonly #onlineListeners = new Map<() => void, Owner>()
  readonly #scheduler: Scheduler
  readonly #random: Random

  constructor(name: string, { seed, scheduler, trace, edge, watchDisk }: DeviceParts, origin?: Device) {
    this.name = name
    this.#origin = origin
    this.#scheduler = scheduler
    this.#random = new Random(seed, `${name} threads`)
    const [disk, net] = [new Random(seed, `${name} disk`), new Random(seed, `${name} net`)]
    this.disk = new Disk(name, { scheduler, random: disk, trace }, watchDisk)
    this.network = new Network({ name, scheduler, random: net, trace, edge })
    this.locks = new Locks(scheduler, this.#random, (error) => trace.bug(error))
    this.channels = new Channels(scheduler, this.#random)
    this.snapshots = new DeviceSnapshots(scheduler, new Random(seed, `${name} snapshots`))
  }

  /** Whether its disk may hold what was appended on the device of that name. */
  continues(name: string): boolean {
    return this.name === name || (this.#origin?.continues(name) ?? false)
  }

  onOnline(owner: Owner, listener: () => void): () => void {
    this.#onlineListeners.set(listener, owner)
    return () => void this.#onlineListeners.delete(listener)
  }

  /** The network is back; browsers say so mostly. */
  comeOnline(): void {
    this.network.comeBack()
    for (const [listener, owner] of this.#onlineListeners) {
      if (this.#random.chance(0.2)) continue
      this.#scheduler.after(this.#random.delay(20), `${owner.name} online`, () => {
        owner.turn(() => {
          if (this.#onlineListeners.has(listener)) listener()
        })
      })
    }
  }

  /** A tab's thread is gone. */
  abandon(owner: Owner, hangsUp: boolean): void {
    for (const [listener, of] of this.#onlineListeners)
      if (of === owner) this.#onlineListeners.delete(listener)
    this.disk.abandon(owner)
    this.network.abandon(owner, hangsUp)
    this.channels.abandon(owner)
    this.locks.abandon(owner)
  }

  /** What a tab holds of what its browser lends. */
  heldBy(owner: Owner): string[] {
    const listens = [...this.#onlineListeners.values()].includes(owner)
    return [
      ...(listens ? ["an online listener"] : []),
      ...(this.network.usedBy(owner) > 0 ? ["a request or socket"] : []),
      ...(this.locks.concerns(owner) ? ["a lock"] : []),
    ]
  }
}
