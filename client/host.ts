import type { Millis } from "../shared/ids.ts"
import type { SqlDatabase } from "../shared/sql.ts"
import type { Snapshots } from "./disk/snapshots.ts"
import type { Storage } from "./disk/storage.ts"

/** Everything the engine cannot work out for itself. The browser's is in `browser-host.ts`. */
export interface Host {
  now(): Millis
  /** In [0, 1). */
  chance(): number
  newId(): string
  /** Runs once, not before `ms` have passed. Returns the way to stop it. */
  after(ms: number, run: () => void): () => void
  /** As the platform's `fetch`. */
  fetch(url: string, init: RequestInit): Promise<Response>
  /** Returns at once; what becomes of it arrives at the listener, which is never called before this returns. */
  openSocket(url: string, protocols: string[], listener: SocketListener): Socket
  /** @throws HeadwaterError `storage-unavailable` */
  openStorage(name: string): Promise<Storage>
  /** Where the views of a log are kept, as long as there is room. */
  openSnapshots(log: string): Snapshots
  /** A database in memory: empty, or as its `image` was. */
  openSql(image?: Uint8Array<ArrayBuffer>): Promise<LocalDatabase>
  /** SHA-256. */
  digest(bytes: Uint8Array): Promise<Uint8Array>
  /** Lets whatever waits for this thread be done first. */
  turn(): Promise<void>
  /**
   * Calls `held` when this thread alone in the browser holds the lock, and lets it go when the promise that `held`
   * returns settles. `signal` ends the waiting. With `steal` the lock is taken from whoever has it, at once; who loses
   * it so has its `lost` aborted, as soon as it can hear.
   */
  lock(name: string, options: LockOptions, held: (lost: AbortSignal) => Promise<void>): void
  /** Calls when the platform believes that the network is back. Returns the way to stop. */
  onOnline(listener: () => void): () => void
  /** Carries values to every other thread of this browser that opened the same name, in order, and not to itself. */
  openChannel(name: string, listener: (message: unknown) => void): Channel
}

/** A database in this thread's memory. */
export interface LocalDatabase extends SqlDatabase {
  /** The whole of it as bytes, uncommitted rows included. */
  image(): Uint8Array<ArrayBuffer>
}

export type LockOptions = { readonly signal: AbortSignal; readonly steal: boolean }

export interface Channel {
  post(message: unknown): void
  close(): void
}

/** Text frames only: our client's streams are JSON. */
export interface Socket {
  send(frame: string): void
  /** Bytes that `send` was given and that have not left this device. */
  buffered(): number
  /** The listener hears nothing more. */
  close(): void
}

export interface SocketListener {
  /** The other side has chosen this one of the protocols that were offered. */
  opened(protocol: string): void
  frame(text: string): void
  /** The other side or the network ended it. Last call. */
  closed(code: number): void
}
