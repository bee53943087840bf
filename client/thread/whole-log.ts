import { HeadwaterError } from "../../shared/errors.ts"
import type { StreamPath } from "../../shared/ids.ts"
import { isAfter, type Offset, START } from "../../shared/offset.ts"
import type { DeviceLog } from "../disk/log.ts"
import type { StoredPage } from "../disk/records.ts"
import type { EdgeStream } from "../sync/edge.ts"
import { errorOf } from "../sync/edge-requests.ts"

/** Pages of logs, none of them absent. */
export type Pages = Pick<WholeLog, "pages" | "pageBehind">

export type WholeLogParts = {
  readonly log: Pick<DeviceLog, "pages" | "pageBehind" | "passed" | "standing" | "fillAbsent">
  edgeOf(stream: StreamPath): Pick<EdgeStream, "read">
  /** Whether the app wants to stay off the network. */
  isPaused(): boolean
}

/**
 * This device's logs for those who need all of them: what is absent here is read from the edge when it is come to, and
 * kept. Several may come to it at once, in other tabs too; what one of them has stored the others find.
 *
 * Everything rejects with a HeadwaterError when the edge is needed and cannot be asked (`unreachable` and the like), or
 * does not have it (`diverged`): what was stored until then stays.
 */
export class WholeLog {
  readonly #parts: WholeLogParts
  readonly #ended = new AbortController()
  readonly #fetching = new Map<string, Promise<void>>()

  constructor(parts: WholeLogParts) {
    this.#parts = parts
  }

  /** As `DeviceLog.pages`. */
  async *pages(stream: StreamPath, span: { after: Offset; upTo: Offset }): AsyncGenerator<StoredPage[]> {
    for (let after = span.after; ; ) {
      let absent: StoredPage | undefined
      for await (const pages of this.#parts.log.pages(stream, { after, upTo: span.upTo })) {
        absent = pages.find((page) => page.absent)
        const held = absent === undefined ? pages : pages.slice(0, pages.indexOf(absent))
        if (held.length > 0) yield held
        after = held.at(-1)?.next ?? after
        if (absent !== undefined) break
      }
      if (absent === undefined) return
      await this.#fetch(absent)
    }
  }

  /** As `DeviceLog.pageBehind`. */
  async pageBehind(stream: StreamPath, place: Offset): Promise<StoredPage | undefined> {
    for (;;) {
      const page = await this.#parts.log.pageBehind(stream, place)
      if (!page?.absent) return page
      await this.#fetch(page)
    }
  }

  /** As `DeviceLog.passed`. */
  async passed(stream: StreamPath, place: Offset): Promise<boolean> {
    const { log } = this.#parts
    if (await log.passed(stream, place)) return true
    const { absentUpTo: upTo } = await log.standing(stream)
    if (!isAfter(upTo, place)) return false
    for await (const _ of this.pages(stream, { after: START, upTo })); // each is fetched as it is come to
    return log.passed(stream, place)
  }

  /** Nothing is asked any more. */
  end(): void {
    this.#ended.abort()
  }

  /** Asks for what an absent page begins with, once for all who have come to it. */
  #fetch(absent: StoredPage): Promise<void> {
    const key = `${absent.stream} ${absent.from}`
    let fetching = this.#fetching.get(key)
    if (fetching === undefined) {
      fetching = this.#fetchNext(absent).finally(() => this.#fetching.delete(key))
      this.#fetching.set(key, fetching)
    }
    return fetching
  }

  async #fetchNext(absent: StoredPage): Promise<void> {
    const { log, edgeOf, isPaused } = this.#parts
    const { stream, from, next } = absent
    const what = `What ${stream} has before ${next} is not on this device`
    if (isPaused()) throw new HeadwaterError("unreachable", `${what}. The client is paused.`)
    const answer = await edgeOf(stream).read(from, this.#ended.signal, next)
    if (this.#ended.signal.aborted) throw new HeadwaterError("closed", "The client is closed.")
    const gone = "The edge does not have it any more."
    if (answer.kind !== "done") {
      const { code, message } = errorOf(answer, gone)
      throw new HeadwaterError(code, `${what}. ${message}`)
    }
    const { page } = answer.value
    const isOther = page.next === from || isAfter(page.next, next)
    if (isOther) throw new HeadwaterError("diverged", `${what}. ${gone}`)
    await log.fillAbsent(absent, page)
  }
}
