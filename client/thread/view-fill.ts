import { parseBatch } from "../../shared/batch.ts"
import type { StreamPath } from "../../shared/ids.ts"
import type { PageText } from "../../shared/log-order.ts"
import { type Offset, START } from "../../shared/offset.ts"
import { offsetBehind, pageBehind, pageUpTo } from "../../shared/page-places.ts"
import type { Host } from "../host.ts"
import type { ConfirmedBatch } from "../state/view-state.ts"
import type { Pages } from "./whole-log.ts"

export type FillParts = { readonly host: Pick<Host, "now" | "after" | "turn">; readonly whole: Pages }

/** What is to be folded, how far, and into what. */
export type Filling = {
  /** The streams, and where each is to be folded to: asked again and again, since logs grow meanwhile. */
  wanted(): Iterable<{ readonly stream: StreamPath; readonly upTo: Offset }>
  /** How far each stream is folded. */
  readonly heads: ReadonlyMap<StreamPath, Offset>
  fold(batch: ConfirmedBatch): void
  /** It is of no use any more. */
  isOver(): boolean
  /** A log does not have the place that it is folded to: it is another one. The filling is over then, or soon. */
  elsewhere?(): void
}

/** How long a thread folds before whoever waits for it has a turn. */
const FOLD_MS = 6

/** Events that are folded before anybody looks at a clock. */
const SLICE_FIRST = 500
const SLICE_MAX = 10_000

/** About as long as one transaction takes. */
const DISK_MS = 2

/**
 * Folds stored pages, some milliseconds at a time, until every stream is where it is wanted. Resolves in the turn in
 * which that holds; with false when it is over before.
 *
 * @throws HeadwaterError when a log cannot be read, or a part of it that is absent here not be had from the edge.
 */
export async function fill(parts: FillParts, filling: Filling): Promise<boolean> {
  const pace = new Pace(parts.host)
  while (!filling.isOver()) {
    const headOf = (stream: StreamPath) => filling.heads.get(stream) ?? START
    const behind = [...filling.wanted()].find(({ stream, upTo }) => headOf(stream) !== upTo)
    if (behind === undefined) return true
    const before = headOf(behind.stream)
    await foldPages(parts.whole, behind, filling, pace)
    const isBeingWritten = headOf(behind.stream) === before && !filling.isOver()
    if (isBeingWritten) await new Promise<void>((resolve) => parts.host.after(DISK_MS, resolve))
  }
  return false
}

async function foldPages(
  log: Pages,
  { stream, upTo }: { readonly stream: StreamPath; readonly upTo: Offset },
  filling: Filling,
  pace: Pace,
): Promise<void> {
  for await (const page of pagesTo(log, { stream, upTo, after: filling.heads.get(stream) ?? START })) {
    const rest = pageBehind(page, filling.heads.get(stream) ?? START) // live pages may end within a stored one
    if (rest === undefined) return filling.elsewhere?.()
    await pace.passedBy() // some megabytes may have been read and checked
    const messages = parseBatch(rest.text)
    await pace.passedBy()
    if (filling.isOver()) return
    for (const batch of slices(stream, rest, messages, () => pace.size)) {
      filling.fold(batch)
      await pace.passed(batch.messages.length)
      if (filling.isOver()) return
    }
  }
}

/** The stored pages between two places; the last one is cut where it goes beyond. */
async function* pagesTo(
  log: Pages,
  { stream, after, upTo }: { readonly stream: StreamPath; readonly after: Offset; readonly upTo: Offset },
): AsyncGenerator<PageText> {
  let head = after
  for await (const pages of log.pages(stream, { after, upTo })) {
    yield* pages
    head = pages.at(-1)?.next ?? head
  }
  if (head === upTo) return
  const across = await log.pageBehind(stream, upTo)
  const cut = across === undefined ? undefined : pageUpTo(across, upTo)
  if (cut !== undefined) yield cut
}

/** A page in parts. Only the last says where the log goes on: a place in between would have to be worked out. */
function* slices(
  stream: StreamPath,
  page: PageText,
  all: readonly unknown[],
  size: () => number,
): Generator<ConfirmedBatch> {
  for (let from = 0; from < all.length; ) {
    const until = Math.min(all.length, from + size())
    const first = from
    const batch = {
      stream,
      messages: all.slice(first, until),
      offsetBehind: (at: number) => offsetBehind(page, first + at),
    }
    yield until === all.length ? { ...batch, next: page.next } : batch
    from = until
  }
  if (all.length === 0) yield { stream, messages: [], next: page.next }
}

/** Lets others have a turn every few milliseconds, whatever an event costs. */
class Pace {
  readonly #host: Pick<Host, "now" | "turn">
  #since: number
  #events = 0
  /** Events that take about half of a turn. */
  size = SLICE_FIRST

  constructor(host: Pick<Host, "now" | "turn">) {
    this.#host = host
    this.#since = host.now()
  }

  async passed(events: number): Promise<void> {
    this.#events += events
    const ms = this.#host.now() - this.#since
    if (ms < FOLD_MS / 2) this.size = Math.min(SLICE_MAX, this.size * 2)
    if (ms < FOLD_MS) return
    this.size = Math.max(1, Math.min(SLICE_MAX, Math.floor((this.#events / ms) * (FOLD_MS / 2))))
    await this.#rest()
  }

  /** Something else than folding was done, which may have taken long. */
  async passedBy(): Promise<void> {
    if (this.#host.now() - this.#since >= FOLD_MS / 4) await this.#rest()
  }

  async #rest(): Promise<void> {
    await this.#host.turn()
    this.#events = 0
    this.#since = this.#host.now()
  }
}
