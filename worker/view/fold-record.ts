import type { EventId } from "../../shared/ids.ts"
import type { ViewData } from "../../shared/view/definition.ts"
import type { Skip, SourceStreams } from "../../shared/view/fold.ts"
import { type Statements, textAt, wholeAt } from "./statements.ts"
import type { FoldClaim, SkipAsk } from "./view-claim.ts"

/*
 *   headwater_fold    one row            what is folded, and how far that has come as a whole
 *   headwater_skips   key source, item   what is passed over: an event's id, or a stream and the offset it begins at
 */
const TABLES = [
  `CREATE TABLE headwater_fold (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1), name TEXT NOT NULL, generation INTEGER NOT NULL,
    view TEXT NOT NULL, streams TEXT NOT NULL, phase TEXT NOT NULL, listed_to INTEGER NOT NULL,
    is_listed INTEGER NOT NULL, left_out INTEGER NOT NULL, poll_ms INTEGER NOT NULL
  )`,
  `CREATE TABLE headwater_skips (
    source TEXT NOT NULL, item TEXT NOT NULL, ask TEXT NOT NULL, PRIMARY KEY (source, item)
  ) WITHOUT ROWID`,
]

/** `building`: not all there yet. `built`: it is, and the view has not been told. `live`: the view answers from it. */
export type Phase = "building" | "built" | "live"

export type FoldRecord = {
  readonly name: string
  readonly generation: number
  readonly view: ViewData
  readonly streams: SourceStreams
  readonly phase: Phase
  /** How far the directory was read, and whether that was once to its end. */
  readonly listedTo: number
  readonly isListed: boolean
  /** Streams of its patterns for which there was no room. */
  readonly leftOut: number
  /** How long it waits for news before it looks by itself. */
  readonly pollMs: number
}

/** The one row, and what is skipped. Its caller holds the transaction. */
export class FoldRecords {
  readonly #statements: Statements
  #known: FoldRecord | "none" | undefined

  constructor(statements: Statements) {
    this.#statements = statements
  }

  /** Undefined when nothing is folded here. Asking writes nothing. */
  find(): FoldRecord | undefined {
    this.#known ??= this.#read() ?? "none"
    return this.#known === "none" ? undefined : this.#known
  }

  create({ name, generation, view, streams, skips }: FoldClaim, pollMs: number): void {
    for (const table of TABLES) this.#statements.database.exec(table)
    this.#statements.run(
      "INSERT INTO headwater_fold VALUES (1, ?, ?, ?, ?, 'building', 0, 0, 0, ?)",
      name,
      generation,
      JSON.stringify(view),
      JSON.stringify(streams),
      pollMs,
    )
    for (const skip of skips) this.skip(skip)
    this.#known = undefined
  }

  /** What is stored is something else now: a transaction was undone, or all of it is gone. */
  forget(): void {
    this.#known = undefined
  }

  note(record: FoldRecord): void {
    const { phase, listedTo, isListed, leftOut, pollMs } = record
    this.#known = undefined
    this.#statements.run(
      "UPDATE headwater_fold SET phase = ?, listed_to = ?, is_listed = ?, left_out = ?, poll_ms = ?",
      phase,
      listedTo,
      isListed ? 1 : 0,
      leftOut,
      pollMs,
    )
  }

  skip(ask: SkipAsk): void {
    const item = "event" in ask ? ask.event : `${ask.stream} ${ask.earliest}`
    this.#statements.run(
      "INSERT OR REPLACE INTO headwater_skips VALUES (?, ?, ?)",
      ask.source,
      item,
      JSON.stringify(ask),
    )
  }

  skips(): SkipAsk[] {
    return this.#statements
      .all("SELECT ask FROM headwater_skips ORDER BY source, item")
      .map((row) => JSON.parse(textAt(row, 0)) as SkipAsk) // was one when it was stored
  }

  #read(): FoldRecord | undefined {
    if (!this.#statements.hasTable("headwater_fold")) return undefined
    const [row] = this.#statements.all(
      `SELECT name, generation, view, streams, phase, listed_to, is_listed, left_out, poll_ms
       FROM headwater_fold`,
    )
    return {
      name: textAt(row, 0),
      generation: wholeAt(row, 1),
      view: JSON.parse(textAt(row, 2)) as ViewData, // was one when it was stored, as the next two
      streams: JSON.parse(textAt(row, 3)) as SourceStreams,
      phase: textAt(row, 4) as Phase,
      listedTo: wholeAt(row, 5),
      isListed: wholeAt(row, 6) === 1,
      leftOut: wholeAt(row, 7),
      pollMs: wholeAt(row, 8),
    }
  }
}

/** The events among what is skipped, as a fold knows them. */
export function skippedEvents(skips: readonly SkipAsk[]): Skip[] {
  const events = skips.filter((ask) => "event" in ask)
  return events.map(({ source, event }) => ({ source, eventId: event as EventId })) // compared with ids, no more
}
