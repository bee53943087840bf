import { createHash } from "node:crypto"
import type { Snapshots } from "../../client/disk/snapshots.ts"
import type { Storage } from "../../client/disk/storage.ts"
import type { Channel, Host, LocalDatabase, LockOptions, Socket, SocketListener } from "../../client/host.ts"
import { openNodeSqlite } from "../../client/node/node-sqlite.ts"
import type { Millis } from "../../shared/ids.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import type { Device } from "./device.ts"
import type { Owner } from "./disk.ts"
import { DiskStorage } from "./disk-storage.ts"
import type { Random } from "./random.ts"
import type { Scheduler } from "./scheduler.ts"

export type TabHostParts = {
  readonly owner: Owner
  readonly device: Device
  readonly scheduler: Scheduler
  readonly random: Random
  now(): Millis
  /** Lets a mutant stand between the engine and its disk. */
  storage(storage: Storage): Storage
  /** Lets a mutant keep a message from the other tabs. */
  tells(message: unknown): boolean
}

/** The engine's outside, as one simulated tab has it. A dead tab hears nothing more. */
export class TabHost implements Host {
  readonly #parts: TabHostParts
  readonly #timers = new Set<() => void>()
  readonly #databases: SqlDatabase[] = []

  constructor(parts: TabHostParts) {
    this.#parts = parts
  }

  now(): Millis {
    return this.#parts.now()
  }

  chance(): number {
    return this.#parts.random.next()
  }

  newId(): string {
    return `${this.#parts.owner.name}-${this.#parts.random.whole(0, 0xffffff).toString(16)}`
  }

  after(ms: number, run: () => void): () => void {
    const { scheduler, owner } = this.#parts
    const stopTask = scheduler.after(ms, `${owner.name} timer`, () => {
      owner.turn(() => {
        if (this.#timers.delete(stop)) run() // a frozen thread may stop a timer before it comes to it
      })
    })
    const stop = () => {
      this.#timers.delete(stop)
      stopTask()
    }
    this.#timers.add(stop)
    return stop
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    return this.#parts.device.network.fetch(this.#parts.owner, url, init)
  }

  openSocket(url: string, _protocols: string[], listener: SocketListener): Socket {
    return this.#parts.device.network.openSocket(this.#parts.owner, url, listener)
  }

  async openStorage(): Promise<Storage> {
    return this.#parts.storage(new DiskStorage(this.#parts.device.disk, this.#parts.owner))
  }

  openSnapshots(): Snapshots {
    return this.#parts.device.snapshots.openFor(this.#parts.owner)
  }

  async digest(bytes: Uint8Array): Promise<Uint8Array> {
    return createHash("sha256").update(bytes).digest()
  }

  turn(): Promise<void> {
    return new Promise((resolve) => this.after(0, resolve))
  }

  async openSql(image?: Uint8Array<ArrayBuffer>): Promise<LocalDatabase> {
    const database = openNodeSqlite(image)
    this.#databases.push(database)
    return database
  }

  lock(name: string, options: LockOptions, held: (lost: AbortSignal) => Promise<void>): void {
    this.#parts.device.locks.request(this.#parts.owner, name, options, held)
  }

  onOnline(listener: () => void): () => void {
    return this.#parts.device.onOnline(this.#parts.owner, listener)
  }

  openChannel(name: string, listener: (message: unknown) => void): Channel {
    const channel = this.#parts.device.channels.open(this.#parts.owner, name, listener)
    const post = (message: unknown) => {
      if (this.#parts.tells(message)) channel.post(message)
    }
    return { post, close: channel.close }
  }

  /** What the engine has not given back. */
  held(): string[] {
    const timers = this.#timers.size
    return [...(timers > 0 ? [`${timers} timers`] : []), ...this.#parts.device.heldBy(this.#parts.owner)]
  }

  /** The thread is gone. A dead one's memory is freed without asking it. */
  end(): void {
    for (const stop of [...this.#timers]) stop()
    for (const database of this.#databases) database.close()
  }
}
