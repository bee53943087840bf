import { assert } from "../../shared/assert.ts"
import type { PageText } from "../../shared/log-order.ts"
import { offsetBehind } from "../../shared/page-places.ts"
import type { SqlDatabase } from "../../shared/sql.ts"
import { type CompiledView, compileView } from "../../shared/view/compile.ts"
import { haltKey, ViewFold } from "../../shared/view/fold.ts"
import type { Feed } from "./feeds.ts"
import { type FoldRecords, skippedEvents } from "./fold-record.ts"
import { withTablesMade } from "./made-tables.ts"

/**
 * The sources of a view as they fold, each by itself: two that read one stream may stand at different places of it.
 * What is compiled is kept in memory and made anew from what is stored.
 */
export class SourceFolds {
  readonly #database: SqlDatabase
  readonly #records: FoldRecords
  #view: CompiledView | undefined
  readonly #folds = new Map<string, ViewFold>()

  constructor(database: SqlDatabase, records: FoldRecords) {
    this.#database = database
    this.#records = records
  }

  /** The view, whose tables are there. */
  view(): CompiledView {
    const record = this.#records.find()
    assert(record !== undefined, "whoever asks for a view has found it")
    this.#view ??= compileView(withTablesMade(this.#database), record.name, record.view)
    return this.#view
  }

  /** What is stored is something else now. */
  forget(): void {
    this.#view = undefined
    for (const fold of this.#folds.values()) fold.close()
    this.#folds.clear()
  }

  /** Folds messages for one source. Answers where and why it stands still, if it does. */
  fold(feed: Feed, messages: readonly unknown[], page: PageText): Pick<Feed, "offset" | "halt"> | undefined {
    const fold = this.#foldOf(feed.source)
    let stoppedAt = 0
    fold.halts = new Map()
    fold.fold({
      stream: feed.stream,
      messages,
      offsetBehind: (at) => {
        stoppedAt = at
        return offsetBehind(page, at)
      },
    })
    const halt = fold.halts.get(haltKey(feed))
    if (halt === undefined) return undefined
    assert(halt.offset !== undefined, "what the edge folds has its place")
    const { offset, eventId: id, eventType: type, message } = halt
    return {
      offset: stoppedAt === 0 ? page.from : offsetBehind(page, stoppedAt - 1),
      halt: { kind: "event", offset, event: { id, type }, message },
    }
  }

  #foldOf(name: string): ViewFold {
    let fold = this.#folds.get(name)
    if (fold === undefined) {
      const view = this.view()
      const sources = view.sources.filter((source) => source.name === name)
      const { streams } = this.#records.find() ?? { streams: {} }
      const skips = skippedEvents(this.#records.skips())
      fold = new ViewFold(this.#database, { ...view, sources }, streams, skips)
      this.#folds.set(name, fold)
    }
    return fold
  }
}
