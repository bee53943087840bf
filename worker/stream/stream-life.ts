import { CLOSE } from "../../shared/frames.ts"
import type { Millis } from "../../shared/ids.ts"
import { endOf, isUseWorthNoting } from "../../shared/lifetime.ts"
import type { StreamHost } from "./stream-host.ts"
import type { StreamLog } from "./stream-log.ts"
import type { StreamRecord } from "./stream-record.ts"

/** How long a stream is there: it ends when its time is over, and being used prolongs its time. */
export class StreamLife {
  readonly #host: StreamHost
  readonly #log: StreamLog

  constructor(host: StreamHost, log: StreamLog) {
    this.#host = host
    this.#log = log
  }

  /**
   * The stream, unless its time is over: then it goes, now that somebody asks. A stream with sockets is in
   * use.
   */
  find(): StreamRecord | undefined {
    const stream = this.#log.find()
    const end = stream && endOf(stream.lifetime, stream.usedAt)
    if (stream === undefined || end === undefined || this.#host.now() <= end) return stream
    if (stream.lifetime.kind === "idle" && this.#hasReaders()) {
      this.noteUse(stream)
      return { ...stream, usedAt: this.#host.now() }
    }
    this.remove()
    return undefined
  }

  noteUse({ lifetime, usedAt }: StreamRecord): void {
    const now = this.#host.now()
    if (isUseWorthNoting(lifetime, usedAt, now)) this.#log.noteUse(now)
  }

  remove(): void {
    this.#host.transact(() => this.#log.remove())
    for (const reader of this.#host.readers()) reader.close(CLOSE.gone, "The stream was deleted.")
  }

  /** Asks to be woken when the stream's time is over, if it ever is. */
  wakeAtEnd(stream: StreamRecord): void {
    const end = endOf(stream.lifetime, stream.usedAt)
    if (end !== undefined) this.#host.wakeAt((end + 1) as Millis) // the first moment after a time is a time
  }

  #hasReaders(): boolean {
    for (const _ of this.#host.readers()) return true
    return false
  }
}
