import type { Offset } from "../../shared/offset.ts"
import type { ViewDefinition } from "../../shared/view/definition.ts"
import type { Halt } from "../../shared/view/fold.ts"
import type { QueryOptions, QueryParameters } from "../../shared/view/query.ts"
import type { LiveNews, ViewNumber } from "../port.ts"
import type { Row, RowChanges } from "../row-changes.ts"
import type { Verdict, ViewHash } from "../thread/view-hashes.ts"
import { askedView, type ViewOptions, type ViewStreams } from "./asked-view.ts"
import { FollowedRows, followNews } from "./followed-rows.ts"
import { queryOptions } from "./query-options.ts"
import type { ThreadLink } from "./thread-link.ts"

/** A source that stands still, as the status tells of it. */
export type HaltedAt = Pick<Halt, "source" | "eventId">

/** A view's tables, as they follow from all events that this device has: confirmed ones, and its own pending on top. */
export class View {
  readonly #link: ThreadLink
  readonly #number: number
  readonly #loops = new Set<FollowedRows>()

  /** Made by `client.view`. */
  constructor(link: ThreadLink, number: number) {
    this.#link = link
    this.#number = number
  }

  /**
   * Answers one SELECT. `R` is the caller's word for the columns.
   *
   * @throws HeadwaterError `invalid-query` when the SQL does not compile against the view's tables or would do more
   * than read them; `query-timeout` when it takes longer than `timeoutMs`, by default a second; `query-too-large`.
   */
  async query<R extends Row = Row>(
    sql: string,
    params: QueryParameters = [],
    options: QueryOptions = {},
  ): Promise<R[]> {
    return askRows(this.#link, this.#number, sql, params, options)
  }

  /**
   * Calls `onRows` with the answer now and again whenever it has changed: after each append of this device before it
   * is stored, and after each event that arrives. Returns the way to stop; calling it twice is fine.
   *
   * @param onError Hears `invalid-query`, `query-timeout` and `query-too-large`; the query stays followed if it
   * compiled. Without it the error is thrown where the browser reports unhandled ones.
   */
  live<R extends Row = Row>(
    sql: string,
    params: QueryParameters,
    onRows: (rows: R[]) => void,
    onError: (error: unknown) => void = reportUnhandled,
  ): () => void {
    const onNews = (news: LiveNews) => {
      if ("rows" in news) onRows(news.rows as R[]) // as the caller says
    }
    return followNews(this.#link, this.#number, { sql, params }, onNews, onError)
  }

  /**
   * As `live`, but tells how the rows differ from those that were told last: the first time all of them are added.
   * `applyChanges` makes the rows of it. Only what differs is copied to the page, so a long list that changes a little
   * costs little.
   *
   * @param options `key`: columns of the rows that tell each row from all others.
   * @param onError Hears also `invalid-query` when there are no such columns, or two rows have one key.
   */
  changes<R extends Row = Row>(
    sql: string,
    params: QueryParameters,
    { key }: { readonly key: readonly (keyof R & string)[] },
    onChanges: (changes: RowChanges<R>) => void,
    onError: (error: unknown) => void = reportUnhandled,
  ): () => void {
    const onNews = (news: LiveNews) => {
      if ("changes" in news) onChanges(news.changes as RowChanges<R>) // as the caller says
    }
    return followNews(this.#link, this.#number, { sql, params, key }, onNews, onError)
  }

  /**
   * The answers of a query, for `for await`: the rows now, then those after a change. A loop that takes its time gets
   * the newest rows next, and none of those between. Leaving the loop stops it; closing the view ends it.
   *
   * The loop throws what `live` gives to `onError`, and is over then; `closed` when the client is closed.
   */
  rows<R extends Row = Row>(sql: string, params: QueryParameters = []): AsyncIterableIterator<R[]> {
    const rows = new FollowedRows(this.#link, this.#number, { sql, params }, () => this.#loops.delete(rows))
    this.#loops.add(rows)
    return rows as AsyncIterableIterator<unknown> as AsyncIterableIterator<R[]> // as the caller says
  }

  /**
   * Gives the view another definition. Its rows are made from the log beside those that are shown, with progress in
   * `client.status.views`, while the old ones still answer; then they are shown whole, and live queries go on over
   * them. A source that stood still goes on too. Resolves when the new rows show.
   *
   * @throws HeadwaterError `invalid-view`, `invalid-path`; `unreachable` and the like when a part of the log is needed
   * that is only at the edge: then everything stays as it is.
   */
  async redefine<V extends ViewDefinition>(
    view: V,
    streams: ViewStreams<V>,
    options: ViewOptions = {},
  ): Promise<void> {
    await this.#link.ask(this.#link.engine.redefineView(this.#number, askedView(view, streams, options)))
  }

  /**
   * Passes over an event at which a source stands still (`client.status.halts`), on this device and for good: it is
   * recorded, and holds for this definition of the view. Resolves when the rows are those without it. A device that
   * has not skipped it has other rows.
   *
   * @throws HeadwaterError `not-halted` when the source does not stand still at that event.
   */
  async skip({ source, eventId }: HaltedAt): Promise<void> {
    await this.#link.ask(this.#link.engine.skip(this.#number, { source, eventId }))
  }

  /**
   * The view as it was when its streams ended at these offsets: of confirmed events only, apart from this one, and
   * never changing. Streams that are not named are taken as far as this device has read them.
   *
   * @throws HeadwaterError `invalid-offset` when a stream's log on this device has no such place.
   */
  async at(offsets: Readonly<Record<string, Offset>>): Promise<PastView> {
    return new PastView(this.#link, await this.#link.ask(this.#link.engine.pastView(this.#number, offsets)))
  }

  /**
   * What the confirmed rows come to (SHA-256 of all values, by type), with the places up to which events are folded in
   * them. Equal on every device, at the edge and in Node, where the places are equal and the same events are skipped.
   */
  hash(): Promise<ViewHash> {
    return this.#link.ask(this.#link.engine.hashView(this.#number))
  }

  /**
   * Whether the rows are right. Given the `other` hash of somebody else, of the edge or of another client, it is
   * compared with what this device's log makes of the events up to the same places. Without one, the rows that are
   * shown are compared with what the log makes of them when it is folded anew. A verdict that they are not says which
   * tables differ, and between which offsets that came to be; `rebuild` makes rows right that the log contradicts.
   *
   * @throws HeadwaterError `invalid-offset` when this device's log has not got to such places.
   */
  verify(other?: ViewHash): Promise<Verdict> {
    return this.#link.ask(this.#link.engine.verifyView(this.#number, other))
  }

  /** Makes the rows anew from the log, beside those that are shown, and shows them when they are whole. */
  rebuild(): Promise<void> {
    return this.#link.ask(this.#link.engine.rebuildView(this.#number))
  }

  /** Frees the view's rows. Its live queries end; no method works any more. */
  async close(): Promise<void> {
    for (const rows of this.#loops) void rows.return()
    await this.#link.ask(this.#link.engine.closeView(this.#number))
  }
}

/** A view's tables as they were. */
export class PastView {
  readonly #link: ThreadLink
  readonly #number: number

  /** Made by `view.at`. */
  constructor(link: ThreadLink, number: number) {
    this.#link = link
    this.#number = number
  }

  /** As `View.query`. */
  async query<R extends Row = Row>(
    sql: string,
    params: QueryParameters = [],
    options: QueryOptions = {},
  ): Promise<R[]> {
    return askRows(this.#link, this.#number, sql, params, options)
  }

  /** As `View.hash`. */
  hash(): Promise<ViewHash> {
    return this.#link.ask(this.#link.engine.hashView(this.#number))
  }

  /** Frees the rows. No method works any more. */
  async close(): Promise<void> {
    await this.#link.ask(this.#link.engine.closeView(this.#number))
  }
}

async function askRows<R extends Row>(
  link: ThreadLink,
  view: ViewNumber,
  sql: string,
  params: QueryParameters,
  options: QueryOptions,
): Promise<R[]> {
  return (await link.ask(link.engine.query(view, sql, params, queryOptions(options)))) as R[] // as the caller says
}

function reportUnhandled(error: unknown): void {
  reportError(error)
}
