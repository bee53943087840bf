import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import type { Offset } from "../../shared/offset.ts"
import type { ReaderNumber, ReadRequest } from "../port.ts"
import type { ThreadLink } from "./thread-link.ts"

/**
 * A log as the thread reads it for this page, some megabytes at a time. The next page is asked for when one is taken,
 * so the consumer finds it there, and the thread never holds more than one for it.
 */
export class LogSource {
  readonly #link: ThreadLink
  readonly #stream: StreamPath
  readonly #request: ReadRequest
  #reader: Promise<ReaderNumber> | undefined
  #ahead: Promise<PageText | undefined> | undefined
  #isStopped = false
  #stopWaiting: () => void = () => {}

  constructor(link: ThreadLink, stream: StreamPath, request: ReadRequest) {
    this.#link = link
    this.#stream = stream
    this.#request = request
  }

  /** Undefined at the log's end, and once the source was stopped. */
  async next(): Promise<PageText | undefined> {
    if (this.#isStopped) return undefined
    const page = await this.#unlessStopped(this.#ahead ?? this.#ask())
    if (page === undefined) return undefined
    this.#ahead = this.#ask()
    this.#ahead.catch(() => {}) // it is met when the page is wanted
    return page
  }

  async moveCursor(offset: Offset): Promise<void> {
    await this.#link.ask(this.#link.engine.moveCursor(await this.#opened(), offset))
  }

  /** Whoever waits for a page has the end. */
  stop(): void {
    this.#isStopped = true
    this.#stopWaiting()
  }

  /** Nothing of it is left in the thread when it resolves. */
  async close(): Promise<void> {
    this.stop()
    if (this.#reader === undefined) return
    try {
      await this.#link.ask(this.#link.engine.closeReader(await this.#reader))
    } catch (reason) {
      if (!(reason instanceof HeadwaterError)) throw reason // it did not open, or went with the thread
    }
  }

  #unlessStopped(page: Promise<PageText | undefined>): Promise<PageText | undefined> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = () => resolve(undefined)
      page.then(resolve, reject)
    })
  }

  #opened(): Promise<ReaderNumber> {
    this.#reader ??= this.#link.ask(this.#link.engine.openReader(this.#stream, this.#request))
    return this.#reader
  }

  async #ask(): Promise<PageText | undefined> {
    return this.#link.ask(this.#link.engine.readOn(await this.#opened()))
  }
}
