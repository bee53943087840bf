import { CLOSE } from "../../shared/frames.ts"
import { endOf, isUseWorthNoting } from "../../shared/lifetime.ts"
import type { StreamSeals } from "../segments/stream-seals.ts"
import type { StreamHost } from "./stream-host.ts"
import type { StreamLog } from "./stream-log.ts"
import type { StreamRecord } from "./stream-record.ts"

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
  find(): StreamRecord | undefined {
    const stream = this.#log.find()
    const end = stream && endOf(stream.lifetime, stream.usedAt, this.#host.bounds.useNoteMsInterval)
    if (stream === undefined || end === undefined || this.#host.now() <= end) return stream
    if (stream.lifetime.kind === "idle" && this.#hasReaders()) {
      this.noteUse(stream)
      return { ...stream, usedAt: this.#host.now() }
    }
    this.remove(stream)
    return undefined
  }

  noteUse({ lifetime, usedAt }: StreamRecord): void {
    const now = this.#host.now()
    const { useNoteMsInterval } = this.#host.bounds
    if (isUseWorthNoting(lifetime, usedAt, now, useNoteMsInterval)) this.#log.noteUse(now)
  }

  remove(stream: StreamRecord): void {
    this.#host.transact(() => {
      this.#log.remove()
      this.#seals.removed(stream)
    })
    for (const reader of this.#host.readers()) reader.close(CLOSE.gone, "The stream was deleted.")
  }

  #hasReaders(): boolean {
    for (const _ of this.#host.readers()) return true
    return false
  }
}
