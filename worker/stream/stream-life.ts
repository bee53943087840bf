import { CLOSE } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { endOf, isUseWorthNoting } from "../../shared/lifetime.ts"
import type { StreamSeals } from "../segments/stream-seals.ts"
import { referencesIn } from "./fork-references.ts"
import type { StreamHost } from "./stream-host.ts"
import type { StreamLog } from "./stream-log.ts"
import type { StreamRecord } from "./stream-record.ts"

/** No stream for whoever asks: there is none, or it is there for its forks alone. */
export type Absent = { readonly kind: "missing" } | { readonly kind: "deleted" }

export const ABSENT: Absent = { kind: "missing" }

export type Found = { readonly kind: "stream"; readonly stream: StreamRecord } | Absent

/** How long a stream is there: it ends when its time is over, and being used prolongs its time. */
export class StreamLife {
  readonly #host: StreamHost
  readonly #log: StreamLog
  readonly #seals: StreamSeals

  constructor(host: StreamHost, log: StreamLog, seals: StreamSeals) {
    this.#host = host
    this.#log = log
    this.#seals = seals
  }

  /**
   * The stream, unless its time is over: then it goes, now that somebody asks. A stream with sockets is in
   * use.
   */
  find(): Found {
    const stream = this.#log.find()
    if (stream === undefined) return { kind: "missing" }
    if (stream.deletedAt !== undefined) return { kind: "deleted" }
    const end = endOf(stream.lifetime, stream.usedAt, this.#host.bounds.useNoteMsInterval)
    if (end === undefined || this.#host.now() <= end) return { kind: "stream", stream }
    if (stream.lifetime.kind === "idle" && this.#hasReaders()) {
      this.noteUse(stream)
      return { kind: "stream", stream: { ...stream, usedAt: this.#host.now() } }
    }
    return this.end(stream)
  }

  /** A socket has gone: until now it was a use, and the stream's time counts from here. */
  left(): void {
    const stream = this.#log.find() // not `find`, to which its time may be over already
    if (stream !== undefined && stream.deletedAt === undefined) this.noteUse(stream)
  }

  noteUse({ lifetime, usedAt }: StreamRecord): void {
    const now = this.#host.now()
    const { useNoteMsInterval } = this.#host.bounds
    if (isUseWorthNoting(lifetime, usedAt, now, useNoteMsInterval)) this.#log.noteUse(now)
  }

  /** Ends the stream: what it holds is removed, or left to its forks if it has any. */
  end(stream: StreamRecord): Absent {
    if (referencesIn(this.#host, 1).length === 0) {
      this.remove(stream)
      return { kind: "missing" }
    }
    const now = this.#host.now()
    this.#log.noteDeleted(now)
    this.#closeReaders()
    this.#host.changed()
    this.#host.wakeAt((now + this.#host.bounds.forkLookMsMin) as Millis) // a time plus a duration
    return { kind: "deleted" }
  }

  /** Removes the stream and everything in it, whoever reads through it. */
  remove(stream: StreamRecord): void {
    this.#host.transact(() => {
      this.#log.remove()
      this.#seals.removed(stream)
    })
    this.#closeReaders()
    if (stream.fork !== undefined) this.#host.letGo(stream.fork)
    if (this.#seals.garbage().length > 0) this.#host.wakeAt(this.#host.now())
    this.#host.changed()
  }

  #closeReaders(): void {
    for (const reader of this.#host.readers()) reader.close(CLOSE.gone, "The stream was deleted.")
  }

  #hasReaders(): boolean {
    for (const _ of this.#host.readers()) return true
    return false
  }
}
